package cxbus.peer;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** Decodes and validates what a department published, and sends it on under its customer. */
final class Intake implements Processor<byte[], byte[], Object, Object> {

    static final String TO_JOURNAL = "journal";
    static final String TO_DEAD = "dead";

    private final Decoder decoder = new Decoder();
    private final Map<String, Department> departments = new HashMap<>();
    private ProcessorContext<Object, Object> context;

    @Override
    public void init(ProcessorContext<Object, Object> context) {
        this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata from = context.recordMetadata().orElseThrow();
        try {
            Event event = decoder.decode(
                    record.value(), record.headers(), department(from.topic()), record.timestamp() * 1_000);
            context.forward(new Record<>(event.customer(), event, record.timestamp()), TO_JOURNAL);
        } catch (Refused refused) {
            bury(record, from, refused);
        }
    }

    private void bury(Record<byte[], byte[]> record, RecordMetadata from, Refused refused) {
        Record<Object, Object> dead = new Record<>(record.key(), record.value(), record.timestamp(), record.headers());
        dead.headers()
                .add("reason", utf8(refused.reason()))
                .add("message", utf8(refused.getMessage()))
                .add("topic", utf8(from.topic()))
                .add("partition", utf8(Integer.toString(from.partition())))
                .add("offset", utf8(Long.toString(from.offset())));
        context.forward(dead, TO_DEAD);
    }

    /** Whose topic {@code cx.sales.events.v1} is. */
    private Department department(String topic) {
        return departments.computeIfAbsent(topic, name -> Department.of(name.substring(name.indexOf('.') + 1)));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
