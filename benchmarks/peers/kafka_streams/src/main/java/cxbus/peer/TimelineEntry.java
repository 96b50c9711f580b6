package cxbus.peer;

/** One event on one customer's timeline, as readers of the changelog find it. */
final class TimelineEntry {

    private TimelineEntry() {}

    static String key(Event event) {
        return event.customer() + "/" + event.uid();
    }

    /** @param late whether something later was on the timeline already */
    static byte[] json(Event event, boolean late) {
        return new JsonText(event.json().length + 192)
                .begin('{')
                .name("customerId")
                .string(event.customer())
                .name("uid")
                .string(event.uid())
                .name("time")
                .instant(event.at())
                .name("department")
                .string(event.type().department.wire)
                .name("late")
                .bool(late)
                .name("event")
                .json(event.json())
                .end('}')
                .toBytes();
    }
}
