package cxbus.peer;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.Arrays;

/**
 * Writes JSON as UTF-8, with commas where they belong.
 *
 * <p>Beside Jackson's generator because events are put in whole, as the bytes that they came as.
 */
final class JsonText {

    private static final JsonStringEncoder QUOTER = JsonStringEncoder.getInstance();

    private byte[] content;
    private int length;

    JsonText(int size) {
        content = new byte[size];
    }

    /** Forgets what was written, and keeps the room. */
    JsonText clear() {
        length = 0;
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(content, length);
    }

    JsonText begin(char bracket) {
        comma();
        return mark(bracket);
    }

    JsonText end(char bracket) {
        return mark(bracket);
    }

    /** Of a member, which needs no escaping. */
    JsonText name(String name) {
        comma();
        return mark('"').ascii(name).mark('"').mark(':');
    }

    /** Of a member, which may hold anything. */
    JsonText anyName(String name) {
        return string(name).mark(':');
    }

    JsonText string(String text) {
        comma();
        mark('"');
        if (isPlain(text)) {
            ascii(text);
        } else {
            bytes(QUOTER.quoteAsUTF8(text));
        }
        return mark('"');
    }

    JsonText instant(long instant) {
        comma();
        mark('"');
        reserve(Instants.LENGTH);
        Instants.write(instant, content, length);
        length += Instants.LENGTH;
        return mark('"');
    }

    JsonText number(long number) {
        comma();
        return ascii(Long.toString(number));
    }

    JsonText bool(boolean value) {
        comma();
        return ascii(value ? "true" : "false");
    }

    /** A value that is JSON already. */
    JsonText json(byte[] value) {
        comma();
        return bytes(value);
    }

    private void comma() {
        if (length == 0) {
            return;
        }
        byte last = content[length - 1];
        if (last != '{' && last != '[' && last != ':') {
            mark(',');
        }
    }

    private JsonText mark(char one) {
        reserve(1);
        content[length++] = (byte) one;
        return this;
    }

    private JsonText bytes(byte[] bytes) {
        reserve(bytes.length);
        System.arraycopy(bytes, 0, content, length, bytes.length);
        length += bytes.length;
        return this;
    }

    @SuppressWarnings("deprecation") // the only way from a string to an array without another one between
    private JsonText ascii(String text) {
        int size = text.length();
        reserve(size);
        text.getBytes(0, size, content, length);
        length += size;
        return this;
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                return false;
            }
        }
        return true;
    }

    private void reserve(int more) {
        if (length + more > content.length) {
            content = Arrays.copyOf(content, Math.max(content.length * 2, length + more));
        }
    }
}
