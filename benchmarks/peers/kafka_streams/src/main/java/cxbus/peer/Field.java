package cxbus.peer;

import java.util.HashMap;
import java.util.Map;

/**
 * The fields of {@code data} that some type of the vocabulary names, with the kind that they have everywhere.
 *
 * <p>Those up to {@link #LAST_KEPT} travel in the journal, because profile or rules ask for them; the others are only
 * validated.
 */
enum Field {
    CASE_ID("caseId", Kind.ID),
    CATEGORY("category", Kind.ID),
    INVOICE_ID("invoiceId", Kind.ID),
    PAYMENT_ID("paymentId", Kind.ID),
    TOTAL("total", Kind.MONEY),
    CURRENCY("currency", Kind.CURRENCY),
    DUE_DATE("dueDate", Kind.DATE),
    OPPORTUNITY_ID("opportunityId", Kind.ID),
    STAGE("stage", Kind.ID),
    CAMPAIGN_ID("campaignId", Kind.ID),
    CHANNEL("channel", Kind.ID),
    PURPOSE("purpose", Kind.ID),
    DIRECTION("direction", Kind.DIRECTION),
    OUTCOME("outcome", Kind.OUTCOME),
    METRIC("metric", Kind.METRIC),
    VALUE("value", Kind.SCORE),
    LEVEL("level", Kind.COUNT),
    PRIORITY("priority", Kind.ID),
    DAYS_OVERDUE("daysOverdue", Kind.COUNT),
    CALL_ID("callId", Kind.ID),
    ORDER_ID("orderId", Kind.ID),
    CONVERSATION_ID("conversationId", Kind.ID),
    MESSAGE_ID("messageId", Kind.ID),
    URL("url", Kind.URL),
    STATUS("status", Kind.STATUS);

    static final Field LAST_KEPT = LEVEL;

    private static final Map<String, Field> BY_NAME = new HashMap<>();

    static {
        for (Field field : values()) {
            BY_NAME.put(field.wire, field);
        }
    }

    final String wire;
    final Kind kind;

    Field(String wire, Kind kind) {
        this.wire = wire;
        this.kind = kind;
    }

    /** The field of this name; null for one that no type names. */
    static Field named(String name) {
        return BY_NAME.get(name);
    }
}
