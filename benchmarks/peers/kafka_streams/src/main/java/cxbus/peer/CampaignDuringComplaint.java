package cxbus.peer;

import java.util.Set;

/** A campaign went to someone whose complaint is open, or was closed less than three days ago. */
final class CampaignDuringComplaint implements Rule {

    private static final long AFTERWARDS = 72 * Instants.HOUR;

    @Override
    public String name() {
        return "campaign-during-complaint";
    }

    @Override
    public Set<EventType> triggers() {
        return Set.of(EventType.CAMPAIGN_SENT);
    }

    @Override
    public Match judge(Event event, Profile profile) {
        Facts facts = event.facts();
        if (facts.is(Field.PURPOSE, "service")) {
            return null;
        }
        boolean survey = facts.is(Field.PURPOSE, "survey"); // surveys follow closed cases
        for (SupportCase one : profile.cases.values()) {
            if (one.is("complaint")
                    && (one.isOpenAt(event.at()) || (!survey && one.wasClosedBefore(event.at(), AFTERWARDS)))) {
                String campaign = facts.get(Field.CAMPAIGN_ID);
                return new Match(
                        campaign,
                        "Campaign " + campaign + " went out by " + facts.get(Field.CHANNEL)
                                + " although a complaint is open or was closed less than three days ago.");
            }
        }
        return null;
    }
}
