package cxbus.peer;

/** The structured form of an event that came with its attributes in headers. */
final class Envelope {

    private Envelope() {}

    static byte[] around(CloudEvent event, byte[] data) {
        return new JsonText(data.length + 256)
                .begin('{')
                .name("specversion")
                .string(event.specversion)
                .name("id")
                .string(event.id)
                .name("source")
                .string(event.source)
                .name("type")
                .string(event.type)
                .name("time")
                .string(event.time)
                .name("datacontenttype")
                .string("application/json")
                .name("data")
                .json(data)
                .end('}')
                .toBytes();
    }
}
