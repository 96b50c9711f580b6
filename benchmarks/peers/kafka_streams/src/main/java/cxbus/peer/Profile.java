package cxbus.peer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known about one customer, and all that the rules need. Bounded: what is closed, answered or said more than
 * {@link #MEMORY} before the customer's latest event is forgotten.
 */
final class Profile {

    /** The longest window and cooldown of the rules. */
    static final long MEMORY = 7 * Instants.DAY;

    final String customer;
    String name;
    /** When the name was said. */
    long named = Instants.NONE;

    int entries;
    /** Instant of the latest entry. */
    long latest = Instants.NONE;
    /** Instant at which the customer last did something himself. */
    long engaged = Instants.NONE;
    /** Instants of contacts that the customer has not answered, in their order. */
    final List<Long> contacts = new ArrayList<>();

    final long[] lastContact = new long[Department.ALL.size()];
    final Map<String, SupportCase> cases = new LinkedHashMap<>();
    final Map<String, Invoice> invoices = new LinkedHashMap<>();
    final Map<String, Opportunity> opportunities = new LinkedHashMap<>();
    final List<Standing> standing = new ArrayList<>();

    /** An alert that was said, by which others of its rule and key are held back. */
    record Standing(String rule, String key, long at) {}

    Profile(String customer) {
        this.customer = customer;
        java.util.Arrays.fill(lastContact, Instants.NONE);
    }

    /** Puts an event, seen for the first time, where it belongs. */
    void take(Event event) {
        long at = event.at();
        entries++;
        latest = Math.max(latest, at);
        if (event.name() != null && at >= named) {
            named = at;
            name = event.name();
        }
        takeMatter(event);
        if (event.isEngaged() && at > engaged) {
            engaged = at;
            contacts.removeIf(contact -> contact <= at);
        }
        if (event.isContact()) {
            int department = event.type().department.ordinal();
            lastContact[department] = Math.max(lastContact[department], at);
            if (!event.isAnswered() && at > engaged) {
                insert(at);
            }
        }
        forget(latest - MEMORY);
    }

    /** How many contacts in the time {@code window} up to and with {@code at} were not answered. */
    int unanswered(long at, long window) {
        int count = 0;
        for (long contact : contacts) {
            if (contact > at - window && contact <= at) {
                count++;
            }
        }
        return count;
    }

    /** Remembers an alert, unless one of the same rule and key lies less than {@link #MEMORY} away: then false. */
    boolean say(String rule, String key, long at) {
        for (Standing said : standing) {
            if (said.rule.equals(rule) && said.key.equals(key) && Math.abs(said.at - at) < MEMORY) {
                return false;
            }
        }
        standing.add(new Standing(rule, key, at));
        return true;
    }

    private void takeMatter(Event event) {
        Facts facts = event.facts();
        long at = event.at();
        switch (event.type()) {
            case CASE_OPENED -> supportCase(facts).open(at, facts.get(Field.CATEGORY));
            case CASE_RESOLVED -> supportCase(facts).close(at);
            case INVOICE_ISSUED -> invoice(facts).state(at, facts);
            case INVOICE_OVERDUE -> {
                invoice(facts).state(at, facts);
                invoice(facts).sayOverdue(at);
            }
            case PAYMENT_RECEIVED -> {
                if (facts.has(Field.INVOICE_ID)) {
                    invoice(facts).pay(at, facts);
                }
            }
            case OPPORTUNITY_CREATED -> opportunity(facts).create(at, facts.get(Field.STAGE));
            case OPPORTUNITY_STAGE_CHANGED -> opportunity(facts).change(at, facts.get(Field.STAGE));
            default -> {}
        }
    }

    private SupportCase supportCase(Facts facts) {
        return cases.computeIfAbsent(facts.get(Field.CASE_ID), SupportCase::new);
    }

    private Invoice invoice(Facts facts) {
        return invoices.computeIfAbsent(facts.get(Field.INVOICE_ID), Invoice::new);
    }

    private Opportunity opportunity(Facts facts) {
        return opportunities.computeIfAbsent(facts.get(Field.OPPORTUNITY_ID), Opportunity::new);
    }

    private void insert(long at) {
        int place = contacts.size();
        while (place > 0 && contacts.get(place - 1) > at) {
            place--;
        }
        contacts.add(place, at);
    }

    private void forget(long before) {
        while (!contacts.isEmpty() && contacts.get(0) <= before) {
            contacts.remove(0);
        }
        cases.values().removeIf(one -> !one.isOpen() && one.closed <= before);
        invoices.values().removeIf(one -> one.total != null && !one.isOpen() && one.closed <= before);
        opportunities.values().removeIf(one -> !one.isOpen() && one.changed <= before);
        standing.removeIf(said -> said.at <= before);
    }
}
