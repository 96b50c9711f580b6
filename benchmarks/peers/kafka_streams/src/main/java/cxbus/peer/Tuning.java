package cxbus.peer;

import static org.apache.kafka.streams.StreamsConfig.consumerPrefix;
import static org.apache.kafka.streams.StreamsConfig.mainConsumerPrefix;
import static org.apache.kafka.streams.StreamsConfig.producerPrefix;

import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/** How Kafka Streams is configured. What a setting brought stands in the README. */
final class Tuning {

    private static final int KIB = 1024;
    private static final int MIB = 1024 * KIB;

    private Tuning() {}

    static Properties of(Settings settings) {
        Properties to = new Properties();
        to.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.prefix());
        to.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrap());
        to.put(StreamsConfig.STATE_DIR_CONFIG, settings.stateDirectory());
        to.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        to.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.threads());
        to.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, -1);
        to.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L * MIB);
        to.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksSettings.class);
        to.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        to.put(consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        to.put(mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 4_000);
        to.put(mainConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 2 * MIB);
        to.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 4_000);
        to.put(producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * KIB);
        to.put(producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L * MIB);
        return to;
    }
}
