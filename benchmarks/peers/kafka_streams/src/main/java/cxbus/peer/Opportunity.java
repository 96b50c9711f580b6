package cxbus.peer;

/** A chance to sell something; the stages won and lost close it. */
final class Opportunity {

    final String id;
    String stage;
    long since = Instants.NONE;
    long changed = Instants.NONE;

    Opportunity(String id) {
        this.id = id;
    }

    void create(long at, String stage) {
        since = Math.max(since, at);
        change(at, stage);
    }

    void change(long at, String stage) {
        if (at >= changed) {
            changed = at;
            this.stage = stage;
        }
    }

    boolean isOpen() {
        return since != Instants.NONE && !stage.equals("won") && !stage.equals("lost");
    }
}
