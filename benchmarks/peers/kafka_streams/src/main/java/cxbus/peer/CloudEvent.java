package cxbus.peer;

/** The envelope and what is taken out of {@code data}, as they were read and before they are judged. */
final class CloudEvent {

    String specversion;
    String id;
    String source;
    String type;
    String time;
    boolean hasData;

    /** The first {@code customer_no} among the identifiers. */
    String customerNo;

    boolean identified;
    String name;
    final Facts facts = new Facts();
}
