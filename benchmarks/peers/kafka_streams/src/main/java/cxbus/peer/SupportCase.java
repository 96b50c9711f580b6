package cxbus.peer;

/** A matter that service is to solve; instants are {@link Instants#NONE} until they are known. */
final class SupportCase {

    final String id;
    /** Of the latest opening; null while only its solution was seen. */
    String category;

    long opened = Instants.NONE;
    long closed = Instants.NONE;

    SupportCase(String id) {
        this.id = id;
    }

    void open(long at, String category) {
        if (at >= opened) {
            opened = at;
            this.category = category;
        }
    }

    void close(long at) {
        closed = Math.max(closed, at);
    }

    boolean isOpen() {
        return opened > closed;
    }

    boolean isOpenAt(long at) {
        return opened != Instants.NONE && opened <= at && (closed < opened || closed > at);
    }

    /** Whether it is closed at {@code at}, and was closed less than {@code window} before. */
    boolean wasClosedBefore(long at, long window) {
        return closed != Instants.NONE && closed >= opened && closed <= at && closed > at - window;
    }

    boolean is(String category) {
        return category.equals(this.category);
    }
}
