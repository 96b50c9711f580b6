package cxbus.peer;

/** The known fields of one event's {@code data}, as text; a number's text is as it stood in the JSON. */
final class Facts {

    private static final int FIELDS = Field.values().length;

    private final String[] text = new String[FIELDS];
    private int numbers;
    private int others;

    /** The field's text; null if it is missing or {@code null}. */
    String get(Field field) {
        return text[field.ordinal()];
    }

    boolean has(Field field) {
        return text[field.ordinal()] != null;
    }

    boolean is(Field field, String word) {
        return word.equals(text[field.ordinal()]);
    }

    boolean isNumber(Field field) {
        return (numbers >>> field.ordinal() & 1) != 0;
    }

    boolean isText(Field field) {
        return ((numbers | others) >>> field.ordinal() & 1) == 0;
    }

    void text(Field field, String value) {
        set(field, value, 0, 0);
    }

    void number(Field field, String value) {
        set(field, value, 1, 0);
    }

    /** An object, an array, true or false: no kind takes it. */
    void other(Field field) {
        set(field, "", 0, 1);
    }

    private void set(Field field, String value, int number, int other) {
        int at = field.ordinal();
        text[at] = value;
        numbers = numbers & ~(1 << at) | number << at;
        others = others & ~(1 << at) | other << at;
    }
}
