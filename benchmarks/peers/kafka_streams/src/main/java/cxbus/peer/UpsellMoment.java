package cxbus.peer;

import java.util.Set;

/** A matter was solved so well that the customer says so, and nothing else is wrong. */
final class UpsellMoment implements Rule {

    private static final long AFTERWARDS = 48 * Instants.HOUR;

    @Override
    public String name() {
        return "upsell-moment";
    }

    @Override
    public Set<EventType> triggers() {
        return Set.of(EventType.FEEDBACK_SUBMITTED);
    }

    @Override
    public Match judge(Event event, Profile profile) {
        Facts facts = event.facts();
        if (!isPraise(facts) || !solvedLately(event, profile) || isSomethingWrong(event.at(), profile)) {
            return null;
        }
        return new Match(
                "",
                "The customer rated a solved case " + facts.get(Field.VALUE) + " (" + facts.get(Field.METRIC)
                        + ") and has nothing else open.");
    }

    private static boolean isPraise(Facts facts) {
        double value = Double.parseDouble(facts.get(Field.VALUE));
        return facts.is(Field.METRIC, "csat") ? value >= 4.5 : facts.is(Field.METRIC, "nps") && value >= 9;
    }

    /** The rated case if the feedback names one, else any. */
    private static boolean solvedLately(Event event, Profile profile) {
        String rated = event.facts().get(Field.CASE_ID);
        if (rated != null) {
            SupportCase one = profile.cases.get(rated);
            return one != null && one.wasClosedBefore(event.at(), AFTERWARDS);
        }
        for (SupportCase one : profile.cases.values()) {
            if (one.wasClosedBefore(event.at(), AFTERWARDS)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isSomethingWrong(long at, Profile profile) {
        for (SupportCase one : profile.cases.values()) {
            if (one.is("complaint") && one.isOpenAt(at)) {
                return true;
            }
        }
        for (Invoice invoice : profile.invoices.values()) {
            if (invoice.isOverdueAt(at)) {
                return true;
            }
        }
        return false;
    }
}
