package cxbus.peer;

/** What a department should know, as it stands on the topic of alerts. */
final class Alert {

    private Alert() {}

    static byte[] json(Rule rule, Rule.Match match, Event event, Uids uids) {
        return new JsonText(512)
                .begin('{')
                .name("id")
                .string(uids.ofAlert(rule.name(), match.key(), event.uid()))
                .name("customerId")
                .string(event.customer())
                .name("rule")
                .string(rule.name())
                .name("key")
                .string(match.key())
                .name("time")
                .instant(event.at())
                .name("reason")
                .string(match.reason())
                .end('}')
                .toBytes();
    }
}
