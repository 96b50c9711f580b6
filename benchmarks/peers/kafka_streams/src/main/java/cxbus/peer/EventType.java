package cxbus.peer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The types that the four departments publish: what each requires, and what it checks if it is there. */
enum EventType {
    OPPORTUNITY_CREATED("sales.opportunity.created.v1", need(Field.OPPORTUNITY_ID), need(Field.STAGE)),
    OPPORTUNITY_STAGE_CHANGED("sales.opportunity.stage_changed.v1", need(Field.OPPORTUNITY_ID), need(Field.STAGE)),
    CALL_COMPLETED(
            "sales.call.completed.v1", need(Field.CALL_ID), need(Field.DIRECTION), may(Field.OUTCOME, Kind.OUTCOME)),
    ORDER_COMPLETED("sales.order.completed.v1", need(Field.ORDER_ID), need(Field.TOTAL), need(Field.CURRENCY)),
    CASE_OPENED("service.case.opened.v1", need(Field.CASE_ID), need(Field.CATEGORY), need(Field.PRIORITY)),
    CASE_ESCALATED("service.case.escalated.v1", need(Field.CASE_ID), need(Field.LEVEL)),
    CASE_RESOLVED("service.case.resolved.v1", need(Field.CASE_ID)),
    FEEDBACK_SUBMITTED(
            "service.feedback.submitted.v1", need(Field.METRIC), need(Field.VALUE), may(Field.CASE_ID, Kind.ID)),
    CONVERSATION_ENDED(
            "service.conversation.ended.v1",
            need(Field.CONVERSATION_ID),
            need(Field.CHANNEL),
            may(Field.DIRECTION, Kind.DIRECTION)),
    CAMPAIGN_SENT(
            "marketing.campaign.sent.v1",
            need(Field.CAMPAIGN_ID),
            need(Field.CHANNEL),
            may(Field.PURPOSE, Kind.CAMPAIGN_PURPOSE)),
    EMAIL_OPENED("marketing.email.opened.v1", need(Field.MESSAGE_ID)),
    EMAIL_CLICKED("marketing.email.clicked.v1", need(Field.MESSAGE_ID), need(Field.URL)),
    EMAIL_UNSUBSCRIBED("marketing.email.unsubscribed.v1"),
    CONSENT_CHANGED("marketing.consent.changed.v1", need(Field.CHANNEL), need(Field.PURPOSE), need(Field.STATUS)),
    INVOICE_ISSUED(
            "finance.invoice.issued.v1",
            need(Field.INVOICE_ID),
            need(Field.TOTAL),
            need(Field.CURRENCY),
            need(Field.DUE_DATE)),
    INVOICE_OVERDUE(
            "finance.invoice.overdue.v1",
            need(Field.INVOICE_ID),
            need(Field.TOTAL),
            need(Field.CURRENCY),
            need(Field.DUE_DATE),
            need(Field.DAYS_OVERDUE)),
    PAYMENT_RECEIVED(
            "finance.payment.received.v1",
            need(Field.PAYMENT_ID),
            need(Field.TOTAL),
            need(Field.CURRENCY),
            may(Field.INVOICE_ID, Kind.ID)),
    PAYMENT_DECLINED("finance.payment.declined.v1", need(Field.INVOICE_ID)),
    DUNNING_SENT("finance.dunning.sent.v1", need(Field.INVOICE_ID), need(Field.LEVEL));

    private record Demand(Field field, Kind kind, boolean required) {

        boolean meets(Facts facts) {
            return facts.has(field) ? kind.accepts(facts, field) : !required;
        }
    }

    private static final List<EventType> ALL = List.of(values());
    private static final Map<String, EventType> BY_NAME = new HashMap<>();

    static {
        for (EventType type : ALL) {
            BY_NAME.put(type.wire, type);
        }
    }

    final String wire;
    final Department department;
    private final Demand[] demands;

    EventType(String wire, Demand... demands) {
        this.wire = wire;
        this.department = Department.of(wire);
        this.demands = demands;
    }

    /** The type of this name; null for one that nobody described. */
    static EventType named(String name) {
        return BY_NAME.get(name);
    }

    static EventType at(int ordinal) {
        return ALL.get(ordinal);
    }

    /** The first field that is missing or holds what its kind refuses; null when all is well. */
    Field refused(Facts facts) {
        for (Demand demand : demands) {
            if (!demand.meets(facts)) {
                return demand.field;
            }
        }
        return null;
    }

    private static Demand need(Field field) {
        return new Demand(field, field.kind, true);
    }

    private static Demand may(Field field, Kind kind) {
        return new Demand(field, kind, false);
    }
}
