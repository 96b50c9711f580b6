package cxbus.peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * How an event travels through the journal, which nobody else reads: what was found in it in binary, so that it is
 * parsed once, and then the event itself as it is.
 *
 * <p>{@code instant (8) | type (1) | uid (32) | mask of facts (4) | customer, name, facts: length (2) and UTF-8 | JSON}
 */
final class JournalSerde implements Serde<Event> {

    private static final int FIXED = 8 + 1 + 32 + 4;
    private static final int ABSENT = 0xFFFF;
    private static final Field[] KEPT = java.util.Arrays.copyOf(Field.values(), Field.LAST_KEPT.ordinal() + 1);

    @Override
    public Serializer<Event> serializer() {
        return (topic, event) -> write(event);
    }

    @Override
    public Deserializer<Event> deserializer() {
        return (topic, bytes) -> read(bytes);
    }

    private static byte[] write(Event event) {
        byte[][] texts = new byte[KEPT.length][];
        int mask = 0;
        int size = FIXED + event.json().length;
        byte[] customer = event.customer().getBytes(StandardCharsets.UTF_8);
        byte[] name = event.name() == null ? null : event.name().getBytes(StandardCharsets.UTF_8);
        size += 4 + customer.length + (name == null ? 0 : name.length);
        for (int i = 0; i < KEPT.length; i++) {
            String text = event.facts().get(KEPT[i]);
            if (text != null) {
                texts[i] = text.getBytes(StandardCharsets.UTF_8);
                mask |= 1 << i;
                size += 2 + texts[i].length;
            }
        }
        ByteBuffer to = ByteBuffer.allocate(size);
        to.putLong(event.at()).put((byte) event.type().ordinal());
        to.put(event.uid().getBytes(StandardCharsets.ISO_8859_1)).putInt(mask);
        put(to, customer);
        put(to, name);
        for (byte[] text : texts) {
            if (text != null) {
                put(to, text);
            }
        }
        return to.put(event.json()).array();
    }

    private static Event read(byte[] bytes) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        long at = from.getLong();
        EventType type = EventType.at(from.get());
        String uid = new String(bytes, from.position(), 32, StandardCharsets.ISO_8859_1);
        from.position(from.position() + 32);
        int mask = from.getInt();
        String customer = get(from);
        String name = get(from);
        Facts facts = new Facts();
        for (int left = mask; left != 0; left &= left - 1) {
            facts.text(KEPT[Integer.numberOfTrailingZeros(left)], get(from));
        }
        byte[] json = new byte[from.remaining()];
        from.get(json);
        return new Event(customer, uid, type, at, name, facts, json);
    }

    private static void put(ByteBuffer to, byte[] text) {
        if (text == null) {
            to.putShort((short) ABSENT);
        } else {
            to.putShort((short) text.length).put(text);
        }
    }

    private static String get(ByteBuffer from) {
        int length = from.getShort() & ABSENT;
        if (length == ABSENT) {
            return null;
        }
        String text = new String(from.array(), from.position(), length, StandardCharsets.UTF_8);
        from.position(from.position() + length);
        return text;
    }
}
