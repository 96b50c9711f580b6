package cxbus.peer;

/** An event that is no good: {@code reason} for programs, the message for its developer. */
final class Refused extends Exception {

    private static final long serialVersionUID = 1L;

    private final String reason;

    Refused(String reason, String message) {
        super(message, null, false, false); // thrown for every bad record, so it carries no stack trace
        this.reason = reason;
    }

    String reason() {
        return reason;
    }
}
