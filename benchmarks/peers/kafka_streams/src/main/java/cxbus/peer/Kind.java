package cxbus.peer;

import java.util.Set;

/** What a field of {@code data} may hold. Types are exact: {@code "1"} is no number and {@code 1} is no string. */
enum Kind {
    ID {
        @Override
        boolean accepts(Facts facts, Field field) {
            return facts.isText(field) && lengthIn(facts.get(field), 1, 256);
        }
    },
    URL {
        @Override
        boolean accepts(Facts facts, Field field) {
            return facts.isText(field) && lengthIn(facts.get(field), 1, 8192);
        }
    },
    MONEY {
        @Override
        boolean accepts(Facts facts, Field field) {
            return facts.isText(field) && isMoney(facts.get(field));
        }
    },
    CURRENCY {
        @Override
        boolean accepts(Facts facts, Field field) {
            String code = facts.get(field);
            return facts.isText(field) && code.length() == 3 && code.chars().allMatch(c -> c >= 'A' && c <= 'Z');
        }
    },
    DATE {
        @Override
        boolean accepts(Facts facts, Field field) {
            return facts.isText(field) && Instants.parseDate(facts.get(field)) != Instants.NONE;
        }
    },
    COUNT {
        @Override
        boolean accepts(Facts facts, Field field) {
            String number = facts.get(field);
            return facts.isNumber(field) && number.chars().allMatch(c -> c >= '0' && c <= '9');
        }
    },
    /** A number on the scale of the event's metric. */
    SCORE {
        @Override
        boolean accepts(Facts facts, Field field) {
            String metric = facts.get(Field.METRIC);
            if (!facts.isNumber(field) || metric == null) {
                return false;
            }
            double value = Double.parseDouble(facts.get(field));
            return switch (metric) {
                case "csat" -> value >= 1 && value <= 5;
                case "nps" -> value >= 0 && value <= 10;
                case "ces" -> value >= 1 && value <= 7;
                default -> false;
            };
        }
    },
    DIRECTION(Set.of("inbound", "outbound")),
    OUTCOME(Set.of("answered", "voicemail", "no_answer", "busy", "wrong_number")),
    METRIC(Set.of("csat", "nps", "ces")),
    CAMPAIGN_PURPOSE(Set.of("promotion", "survey", "service")),
    STATUS(Set.of("granted", "revoked"));

    private final Set<String> words;

    Kind() {
        this(Set.of());
    }

    Kind(Set<String> words) {
        this.words = words;
    }

    /** Whether the field, which is there, holds what this kind allows; of a closed list, one of its words. */
    boolean accepts(Facts facts, Field field) {
        return facts.isText(field) && words.contains(facts.get(field));
    }

    private static boolean lengthIn(String text, int least, int most) {
        return text.length() >= least && text.length() <= most;
    }

    /** A decimal number of at most 15 digits before and 6 behind the point. */
    private static boolean isMoney(String text) {
        int start = text.startsWith("-") ? 1 : 0;
        int point = text.indexOf('.');
        int whole = (point < 0 ? text.length() : point) - start;
        int fraction = point < 0 ? 0 : text.length() - point - 1;
        if (whole < 1 || whole > 15 || fraction > 6 || (point >= 0 && fraction == 0)) {
            return false;
        }
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (i != point && (c < '0' || c > '9')) {
                return false;
            }
        }
        return true;
    }
}
