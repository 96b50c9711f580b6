package cxbus.peer;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One of the alert rules: what makes it look, and whether it then has something to say. */
interface Rule {

    String name();

    Set<EventType> triggers();

    /** What to say as of the event's instant; null for nothing. The profile holds the event already. */
    Match judge(Event event, Profile profile);

    /** @param key of which the cooldown holds; empty for the customer as a whole */
    record Match(String key, String reason) {}

    List<Rule> ALL = List.of(
            new CampaignDuringComplaint(), new ContactFatigue(), new DunningDuringDispute(), new UpsellMoment());

    /** The rules that look at each type. */
    static Map<EventType, List<Rule>> byTrigger() {
        Map<EventType, List<Rule>> found = new EnumMap<>(EventType.class);
        for (EventType type : EventType.values()) {
            found.put(type, ALL.stream().filter(rule -> rule.triggers().contains(type)).toList());
        }
        return found;
    }
}
