package cxbus.peer;

/**
 * RFC 3339 on the wire, UTC microseconds inside.
 *
 * <p>By hand, because {@code java.time}'s formatters cost more than the rest of an event's decoding.
 */
final class Instants {

    /** What parsing gives for a text that is none. */
    static final long NONE = Long.MIN_VALUE;

    /** Bytes of an instant's text. */
    static final int LENGTH = 27;

    static final long SECOND = 1_000_000L;
    static final long HOUR = 3_600 * SECOND;
    static final long DAY = 24 * HOUR;

    private static final int[] DAYS_OF_MONTH = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private Instants() {}

    /** Microseconds of an instant with an offset, from 1970 on; digits finer than microseconds are cut. */
    static long parse(String text) {
        int length = text.length();
        if (length < 20 || (text.charAt(10) | 0x20) != 't' || text.charAt(13) != ':' || text.charAt(16) != ':') {
            return NONE;
        }
        long day = parseDate(text, 10);
        int hour = digits(text, 11, 2);
        int minute = digits(text, 14, 2);
        int second = digits(text, 17, 2);
        if (day == NONE || outside(hour, 23) || outside(minute, 59) || outside(second, 59)) {
            return NONE;
        }
        int at = 19;
        long fraction = 0;
        if (text.charAt(at) == '.') {
            int scale = 100_000;
            int first = ++at;
            while (at < length && isDigit(text.charAt(at))) {
                fraction += (long) (text.charAt(at++) - '0') * scale;
                scale /= 10;
            }
            if (at == first) {
                return NONE;
            }
        }
        long offset = offset(text, at);
        if (offset == NONE) {
            return NONE;
        }
        long instant = day + (hour * 3_600L + minute * 60L + second) * SECOND + fraction - offset;
        return instant < 0 ? NONE : instant;
    }

    /** Microseconds of the day's beginning in UTC. */
    static long parseDate(String text) {
        return text.length() == 10 ? parseDate(text, 10) : NONE;
    }

    /** Writes {@link #LENGTH} bytes of RFC 3339 in UTC, with six digits of a second. */
    static void write(long instant, byte[] to, int from) {
        long day = Math.floorDiv(instant, DAY);
        long rest = instant - day * DAY;
        // Both ways between dates and day numbers: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        long shifted = day + 719_468;
        long era = Math.floorDiv(shifted, 146_097);
        int ofEra = (int) (shifted - era * 146_097);
        int yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        int ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int fromMarch = (5 * ofYear + 2) / 153;
        int month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
        int year = (int) (yearOfEra + era * 400) + (month <= 2 ? 1 : 0);
        int seconds = (int) (rest / SECOND);
        write(to, from, 4, year, '-');
        write(to, from + 5, 2, month, '-');
        write(to, from + 8, 2, ofYear - (153 * fromMarch + 2) / 5 + 1, 'T');
        write(to, from + 11, 2, seconds / 3_600, ':');
        write(to, from + 14, 2, seconds / 60 % 60, ':');
        write(to, from + 17, 2, seconds % 60, '.');
        write(to, from + 20, 6, (int) (rest % SECOND), 'Z');
    }

    private static long parseDate(String text, int length) {
        if (text.length() < length || text.charAt(4) != '-' || text.charAt(7) != '-') {
            return NONE;
        }
        int year = digits(text, 0, 4);
        int month = digits(text, 5, 2);
        int day = digits(text, 8, 2);
        if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) {
            return NONE;
        }
        int marchYear = month <= 2 ? year - 1 : year;
        long era = Math.floorDiv(marchYear, 400);
        long yearOfEra = marchYear - era * 400;
        long ofYear = (153L * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        long ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear;
        return (era * 146_097 + ofEra - 719_468) * DAY;
    }

    private static int daysOf(int year, int month) {
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : DAYS_OF_MONTH[month - 1];
    }

    private static long offset(String text, int at) {
        int left = text.length() - at;
        if (left == 1) {
            return (text.charAt(at) | 0x20) == 'z' ? 0 : NONE;
        }
        if (left != 6 || text.charAt(at + 3) != ':') {
            return NONE;
        }
        int hours = digits(text, at + 1, 2);
        int minutes = digits(text, at + 4, 2);
        char sign = text.charAt(at);
        if (outside(hours, 23) || outside(minutes, 59) || (sign != '+' && sign != '-')) {
            return NONE;
        }
        long offset = (hours * 60L + minutes) * 60 * SECOND;
        return sign == '+' ? offset : -offset;
    }

    private static int digits(String text, int from, int count) {
        int number = 0;
        for (int i = from; i < from + count; i++) {
            char c = text.charAt(i);
            if (!isDigit(c)) {
                return -1;
            }
            number = number * 10 + c - '0';
        }
        return number;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean outside(int number, int most) {
        return number < 0 || number > most;
    }

    /** A number of so many digits, and what follows it. */
    private static void write(byte[] to, int from, int count, int number, char next) {
        for (int i = from + count - 1, rest = number; i >= from; i--, rest /= 10) {
            to[i] = (byte) ('0' + rest % 10);
        }
        to[from + count] = (byte) next;
    }
}
