package cxbus.peer;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The profiles of one partition that were asked for last, decoded: a customer seldom comes alone, and the store would
 * parse his document anew for every event. Never ahead of the store: whoever changes one puts it there, and a task that
 * begins again begins with none.
 */
final class RecentProfiles extends LinkedHashMap<String, Profile> {

    private static final long serialVersionUID = 1L;

    /** About 20 MB; with four partitions a twelfth of the heap. */
    private static final int MOST = 10_000;

    RecentProfiles() {
        super(1_024, 0.75f, true); // in the order of use
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Profile> eldest) {
        return size() > MOST;
    }
}
