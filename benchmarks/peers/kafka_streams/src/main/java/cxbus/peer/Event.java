package cxbus.peer;

/**
 * A department's event that was found good.
 *
 * @param customer the customer's id, which is the known identifier
 * @param uid 32 hex digits of SHA-256 of source and id
 * @param at UTC microseconds: when it happened, but never later than the broker had it
 * @param name the customer's name, if the event says it; else null
 * @param facts the fields of {@code data} that profile and rules ask for
 * @param json the whole CloudEvent, structured
 */
record Event(String customer, String uid, EventType type, long at, String name, Facts facts, byte[] json) {

    /** Whether a department reached out to the customer with it. */
    boolean isContact() {
        return switch (type) {
            case CALL_COMPLETED, CONVERSATION_ENDED -> facts.is(Field.DIRECTION, "outbound");
            case CAMPAIGN_SENT -> !facts.is(Field.PURPOSE, "service");
            case DUNNING_SENT -> true;
            default -> false;
        };
    }

    /** Whether it is a contact that the customer answered at once. */
    boolean isAnswered() {
        return type == EventType.CALL_COMPLETED && facts.is(Field.OUTCOME, "answered");
    }

    /** Whether the customer did something himself, which also answers every contact before it. */
    boolean isEngaged() {
        return switch (type) {
            case ORDER_COMPLETED, CASE_OPENED, FEEDBACK_SUBMITTED, EMAIL_CLICKED -> true;
            case CALL_COMPLETED -> facts.is(Field.DIRECTION, "inbound");
            case CONVERSATION_ENDED -> !facts.is(Field.DIRECTION, "outbound");
            default -> false;
        };
    }
}
