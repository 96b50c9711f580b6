package cxbus.peer;

import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The step of one customer: is the event new, then what does it change, and who should know? */
final class Journey implements Processor<byte[], Event, String, byte[]> {

    private final Map<EventType, List<Rule>> rules = Rule.byTrigger();
    private final Uids uids = new Uids();
    private final TimelineEntry entry = new TimelineEntry();
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<byte[], byte[]> timeline;
    private KeyValueStore<String, Profile> profiles;
    private RecentProfiles recent;

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        this.context = context;
        timeline = context.getStateStore(Settings.TIMELINE_STORE);
        profiles = context.getStateStore(Settings.PROFILE_STORE);
        recent = new RecentProfiles();
    }

    @Override
    public void process(Record<byte[], Event> record) {
        Event event = record.value();
        byte[] key = TimelineEntry.key(event);
        Profile profile = profile(event.customer());
        if (profile.entries > 0 && timeline.get(key) != null) { // who is new has seen nothing
            return;
        }
        timeline.put(key, entry.json(event, event.at() < profile.latest));
        profile.take(event);
        for (Rule rule : rules.get(event.type())) {
            Rule.Match match = rule.judge(event, profile);
            if (match != null && profile.say(rule.name(), match.key(), event.at())) {
                byte[] alert = Alert.json(rule, match, event, uids);
                context.forward(new Record<>(event.customer(), alert, record.timestamp()));
            }
        }
        profiles.put(event.customer(), profile);
    }

    private Profile profile(String customer) {
        Profile profile = recent.get(customer);
        if (profile == null) {
            profile = profiles.get(customer);
            if (profile == null) {
                profile = new Profile(customer);
            }
            recent.put(customer, profile);
        }
        return profile;
    }
}
