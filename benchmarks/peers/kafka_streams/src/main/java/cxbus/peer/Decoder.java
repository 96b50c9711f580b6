package cxbus.peer;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** From a department's record to an event that is good, or the reason why it is not. */
final class Decoder {

    private static final int LARGEST = 256 * 1024;
    private static final int LONGEST_NAME = 256;
    private static final byte[] STRUCTURED = "application/cloudevents+json".getBytes(StandardCharsets.US_ASCII);

    private final CloudEventReader reader = new CloudEventReader();
    private final Uids uids = new Uids();

    /**
     * @param received when the broker had the record, in UTC microseconds
     * @param department whose topic it stood on
     */
    Event decode(byte[] value, Headers headers, Department department, long received) throws Refused {
        if (value == null) {
            throw new Refused("not-json", "the record has no value");
        }
        if (value.length > LARGEST) {
            throw new Refused("too-large", "the record has more than 256 KiB");
        }
        CloudEvent read = new CloudEvent();
        boolean structured = isStructured(headers);
        try {
            if (structured) {
                reader.readStructured(value, read);
            } else {
                takeAttributes(headers, read);
                reader.readData(value, read);
            }
        } catch (JsonProcessingException failure) {
            throw new Refused("not-json", failure.getOriginalMessage());
        } catch (IOException failure) {
            throw new Refused("not-json", failure.getMessage());
        }
        long at = Math.min(time(read, received), received);
        EventType type = type(read, department);
        Field refused = type.refused(read.facts);
        if (refused != null) {
            throw new Refused("invalid-data", refused.wire + " is missing, or not what " + type.wire + " requires");
        }
        return new Event(
                customer(read),
                uids.of(read.source, read.id),
                type,
                at,
                read.name,
                read.facts,
                structured ? value : Envelope.around(read, value));
    }

    private static boolean isStructured(Headers headers) {
        Header contentType = headers.lastHeader("content-type");
        if (contentType == null || contentType.value() == null) {
            return true;
        }
        byte[] value = contentType.value(); // parameters may follow
        return value.length >= STRUCTURED.length
                && Arrays.equals(value, 0, STRUCTURED.length, STRUCTURED, 0, STRUCTURED.length);
    }

    private static void takeAttributes(Headers headers, CloudEvent into) {
        for (Header header : headers) {
            switch (header.key()) {
                case "ce_specversion" -> into.specversion = text(header);
                case "ce_id" -> into.id = text(header);
                case "ce_source" -> into.source = text(header);
                case "ce_type" -> into.type = text(header);
                case "ce_time" -> into.time = text(header);
                default -> {}
            }
        }
    }

    private static long time(CloudEvent read, long received) throws Refused {
        expect("1.0".equals(read.specversion), "specversion");
        expect(isFilled(read.id), "id");
        expect(isFilled(read.source), "source");
        expect(isFilled(read.type), "type");
        long time = read.time == null ? Instants.NONE : Instants.parse(read.time);
        expect(time != Instants.NONE, "time");
        expect(read.hasData, "data");
        if (time > received + Instants.DAY) {
            throw new Refused("time-in-future", read.time + " is more than 24 hours ahead");
        }
        return time;
    }

    private static EventType type(CloudEvent read, Department department) throws Refused {
        EventType type = EventType.named(read.type);
        if (type == null) {
            throw new Refused("unknown-type", "nobody has described " + read.type);
        }
        if (type.department != department) {
            throw new Refused("wrong-topic", read.type + " does not belong on a topic of " + department.wire);
        }
        return type;
    }

    /** The id is the identifier itself, as everybody spells it. */
    private static String customer(CloudEvent read) throws Refused {
        if (!read.identified) {
            throw new Refused("invalid-data", "data.customer.identifiers is no list of at least one {type, value}");
        }
        if (read.name != null && read.name.length() > LONGEST_NAME) {
            throw new Refused("invalid-data", "data.customer.name has more than 256 characters");
        }
        String known = read.customerNo == null ? "" : read.customerNo.strip();
        if (known.isEmpty()) {
            throw new Refused("no-identifier", "no customer_no among the identifiers");
        }
        return known.toUpperCase(Locale.ROOT);
    }

    private static boolean isFilled(String text) {
        return text != null && !text.isEmpty() && text.length() <= 512;
    }

    private static void expect(boolean good, String attribute) throws Refused {
        if (!good) {
            throw new Refused("not-cloudevents", attribute + " is missing or wrong");
        }
    }

    private static String text(Header header) {
        return header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }
}
