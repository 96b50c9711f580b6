package cxbus.peer;

import java.util.Set;

/** A dunning letter went to someone who has a question about the bill that we have not answered. */
final class DunningDuringDispute implements Rule {

    @Override
    public String name() {
        return "dunning-during-dispute";
    }

    @Override
    public Set<EventType> triggers() {
        return Set.of(EventType.DUNNING_SENT);
    }

    @Override
    public Match judge(Event event, Profile profile) {
        for (SupportCase one : profile.cases.values()) {
            if (one.is("billing") && one.isOpenAt(event.at())) {
                String invoice = event.facts().get(Field.INVOICE_ID);
                return new Match(
                        invoice,
                        "Dunning level " + event.facts().get(Field.LEVEL) + " for invoice " + invoice
                                + " went out while a billing question is open.");
            }
        }
        return null;
    }
}
