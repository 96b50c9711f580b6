package cxbus.peer;

import java.util.List;
import java.util.Locale;

/** Who publishes. */
enum Department {
    SALES,
    SERVICE,
    MARKETING,
    FINANCE;

    static final List<Department> ALL = List.of(values());

    final String wire = name().toLowerCase(Locale.ROOT);

    /** Whose the event type or topic part {@code sales.order.completed.v1} is. */
    static Department of(String dotted) {
        return valueOf(dotted.substring(0, dotted.indexOf('.')).toUpperCase(Locale.ROOT));
    }
}
