package cxbus.peer;

import java.util.Map;

/**
 * Writes a profile's document: {@code customerId, name, entries, open, lastContact, standing} for readers, and under
 * {@code state} what else {@link ProfileReader} needs. Not for several threads.
 */
final class ProfileWriter {

    private final JsonText to = new JsonText(4_096);

    byte[] write(Profile profile) {
        to.clear().begin('{').name("customerId").string(profile.customer);
        if (profile.name != null) {
            to.name("name").string(profile.name);
        }
        to.name("entries").number(profile.entries);
        to.name("open");
        matters(profile, true);
        to.name("lastContact").begin('{');
        for (Department department : Department.ALL) {
            since(department.wire, profile.lastContact[department.ordinal()]);
        }
        to.end('}').name("standing").begin('[');
        for (Profile.Standing said : profile.standing) {
            to.begin('{').name("rule").string(said.rule()).name("key").string(said.key());
            to.name("time").instant(said.at()).end('}');
        }
        to.end(']').name("state").begin('{').name("closed");
        matters(profile, false);
        since("named", profile.named);
        since("latest", profile.latest);
        since("engaged", profile.engaged);
        to.name("contacts").begin('[');
        for (long contact : profile.contacts) {
            to.instant(contact);
        }
        return to.end(']').end('}').end('}').toBytes();
    }

    private void matters(Profile profile, boolean open) {
        to.begin('[');
        for (SupportCase one : profile.cases.values()) {
            if (one.isOpen() == open) {
                write(one);
            }
        }
        for (Invoice one : profile.invoices.values()) {
            if (one.isOpen() == open) {
                write(one);
            }
        }
        for (Opportunity one : profile.opportunities.values()) {
            if (one.isOpen() == open) {
                write(one);
            }
        }
        to.end(']');
    }

    private void write(SupportCase one) {
        begin("case", one.id, one.opened);
        text("category", one.category);
        since("closed", one.closed);
        to.end('}');
    }

    private void write(Invoice one) {
        begin("invoice", one.id, one.since);
        text("total", one.total);
        text("currency", one.currency);
        text("dueDate", one.dueDate);
        since("overdue", one.overdue);
        since("closed", one.closed);
        if (!one.payments.isEmpty()) {
            to.name("payments").begin('{');
            for (Map.Entry<String, Invoice.Payment> paid : one.payments.entrySet()) {
                to.anyName(paid.getKey()).begin('[');
                to.string(paid.getValue().total()).string(paid.getValue().currency()).end(']');
            }
            to.end('}');
        }
        to.end('}');
    }

    private void write(Opportunity one) {
        begin("opportunity", one.id, one.since);
        text("stage", one.stage);
        since("changed", one.changed);
        to.end('}');
    }

    private void begin(String entity, String id, long since) {
        to.begin('{').name("entity").string(entity).name("id").string(id);
        since("since", since);
    }

    private void since(String name, long instant) {
        if (instant != Instants.NONE) {
            to.name(name).instant(instant);
        }
    }

    private void text(String name, String value) {
        if (value != null) {
            to.name(name).string(value);
        }
    }
}
