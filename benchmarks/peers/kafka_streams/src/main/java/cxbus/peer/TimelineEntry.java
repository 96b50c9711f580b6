package cxbus.peer;

import java.nio.charset.StandardCharsets;

/** One event on one customer's timeline, as readers of the changelog find it. Not for several threads. */
final class TimelineEntry {

    private final JsonText to = new JsonText(4_096);

    static byte[] key(Event event) {
        return (event.customer() + "/" + event.uid()).getBytes(StandardCharsets.UTF_8);
    }

    /** @param late whether something later was on the timeline already */
    byte[] json(Event event, boolean late) {
        return to.clear()
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
