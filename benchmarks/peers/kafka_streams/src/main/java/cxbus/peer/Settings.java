package cxbus.peer;

import java.util.List;
import java.util.Map;

/** What the harness says in the environment, and the names of topics that follow from it. */
record Settings(String bootstrap, String prefix, String stateDirectory, List<String> input, int threads) {

    static final String TIMELINE_STORE = "timeline";
    static final String PROFILE_STORE = "profiles";

    static Settings from(Map<String, String> environment) {
        return new Settings(
                required(environment, "BENCH_BOOTSTRAP"),
                required(environment, "BENCH_PREFIX"),
                required(environment, "BENCH_STATE"),
                List.of(required(environment, "BENCH_INPUT").split(",")),
                Integer.parseInt(environment.getOrDefault("BENCH_THREADS", "1")));
    }

    String journal() {
        return prefix + ".journal";
    }

    String alerts() {
        return prefix + ".alerts";
    }

    String dead() {
        return prefix + ".dead";
    }

    /** Kafka Streams names the changelog of a store so; the prefix is the application's id. */
    String changelog(String store) {
        return prefix + "-" + store + "-changelog";
    }

    private static String required(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }
}
