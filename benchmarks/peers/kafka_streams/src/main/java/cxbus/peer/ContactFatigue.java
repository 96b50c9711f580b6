package cxbus.peer;

import java.util.Set;

/** Several departments keep contacting a customer who does not answer. */
final class ContactFatigue implements Rule {

    @Override
    public String name() {
        return "contact-fatigue";
    }

    @Override
    public Set<EventType> triggers() {
        return Set.of(
                EventType.CALL_COMPLETED,
                EventType.CONVERSATION_ENDED,
                EventType.CAMPAIGN_SENT,
                EventType.DUNNING_SENT);
    }

    @Override
    public Match judge(Event event, Profile profile) {
        if (!event.isContact()) {
            return null;
        }
        boolean tooMany = profile.unanswered(event.at(), 7 * Instants.DAY) >= 5
                || profile.unanswered(event.at(), Instants.DAY) >= 3;
        return tooMany ? new Match("", "Too many contacts in a short time, and not one was answered.") : null;
    }
}
