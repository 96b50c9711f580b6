package cxbus.peer;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a customer owes; instants are {@link Instants#NONE} until they are known. */
final class Invoice {

    record Payment(String total, String currency) {}

    final String id;
    /** The latest; null while only payments were seen. */
    String total;

    String currency;
    String dueDate;
    long since = Instants.NONE;
    long overdue = Instants.NONE;
    long closed = Instants.NONE;
    final Map<String, Payment> payments = new LinkedHashMap<>(2);

    Invoice(String id) {
        this.id = id;
    }

    void state(long at, Facts facts) {
        if (at >= since) {
            since = at;
            total = facts.get(Field.TOTAL);
            currency = facts.get(Field.CURRENCY);
            dueDate = facts.get(Field.DUE_DATE);
        }
        settle(at);
    }

    void sayOverdue(long at) {
        overdue = Math.max(overdue, at);
    }

    void pay(long at, Facts facts) {
        payments.put(facts.get(Field.PAYMENT_ID), new Payment(facts.get(Field.TOTAL), facts.get(Field.CURRENCY)));
        settle(at);
    }

    boolean isOpen() {
        return total != null && closed == Instants.NONE;
    }

    boolean isOverdueAt(long at) {
        return isOpen() && overdue != Instants.NONE && overdue <= at && at >= Instants.parseDate(dueDate);
    }

    /** Closed once its payments in its currency reach its total; a part of it does not close it. */
    private void settle(long at) {
        if (total == null || payments.isEmpty()) {
            return;
        }
        BigDecimal paid = BigDecimal.ZERO;
        for (Payment payment : payments.values()) {
            if (payment.currency.equals(currency)) {
                paid = paid.add(new BigDecimal(payment.total));
            }
        }
        boolean reached = paid.compareTo(new BigDecimal(total)) >= 0;
        closed = reached ? Math.max(closed, at) : Instants.NONE;
    }
}
