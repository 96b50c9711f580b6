package cxbus.peer;

import java.util.Map;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The whole program in one picture: departments, intake, journal, journey; timeline and profiles are its stores. */
final class Pipeline {

    /** As the bus's own topics: a reader sees when the broker had a record. */
    private static final Map<String, String> CHANGELOG =
            Map.of(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");

    private Pipeline() {}

    static Topology of(Settings settings) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        Serde<String> text = Serdes.String();
        JournalSerde journal = new JournalSerde();
        return new Topology()
                .addSource(
                        "departments",
                        bytes.deserializer(),
                        bytes.deserializer(),
                        settings.input().toArray(String[]::new))
                .addProcessor("intake", Intake::new, "departments")
                .addSink(Intake.TO_JOURNAL, settings.journal(), text.serializer(), journal.serializer(), "intake")
                .addSink(Intake.TO_DEAD, settings.dead(), bytes.serializer(), bytes.serializer(), "intake")
                .addSource("journaled", bytes.deserializer(), journal.deserializer(), settings.journal())
                .addProcessor("journey", Journey::new, "journaled")
                .addStateStore(timeline(), "journey")
                .addStateStore(profiles(), "journey")
                .addSink("alerts", settings.alerts(), text.serializer(), bytes.serializer(), "journey");
    }

    /** Every event once, by customer and uid: the memory of copies, and its changelog is the timeline. */
    private static StoreBuilder<KeyValueStore<byte[], byte[]>> timeline() {
        return Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(Settings.TIMELINE_STORE),
                        Serdes.ByteArray(),
                        Serdes.ByteArray())
                .withLoggingEnabled(CHANGELOG)
                .withCachingDisabled(); // no key is written twice
    }

    /** One document per customer, cached: several changes between two commits are one record. */
    private static StoreBuilder<KeyValueStore<String, Profile>> profiles() {
        return Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(Settings.PROFILE_STORE), Serdes.String(), new ProfileSerde())
                .withLoggingEnabled(CHANGELOG)
                .withCachingEnabled();
    }
}
