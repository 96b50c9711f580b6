package cxbus.peer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names made of SHA-256, in hex. Not for several threads. */
final class Uids {

    private static final HexFormat HEX = HexFormat.of();

    private final MessageDigest sha256;

    Uids() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // every Java platform has it
        }
    }

    /** An event's: the first 32 digits, of source and id, which together make it unique. */
    String of(String source, String id) {
        return HEX.formatHex(digest(source + "\n" + id), 0, 16);
    }

    /** An alert's: the same for the same rule, key and event. */
    String ofAlert(String rule, String key, String eventUid) {
        return "a_" + HEX.formatHex(digest("alert1\n" + rule + "\n" + key + "\nevent\n" + eventUid), 0, 13);
    }

    private byte[] digest(String text) {
        return sha256.digest(text.getBytes(StandardCharsets.UTF_8));
    }
}
