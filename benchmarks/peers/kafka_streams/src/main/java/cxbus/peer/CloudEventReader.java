package cxbus.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Reads a CloudEvent's JSON in one pass: no tree, and text only of the fields that somebody asks for. */
final class CloudEventReader {

    private static final JsonFactory JSON =
            JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private static final int LONGEST_VALUE = 512;

    /** A structured event. */
    void readStructured(byte[] json, CloudEvent into) throws IOException, Refused {
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new Refused("not-cloudevents", "the record is no JSON object");
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken token = parser.nextToken();
                switch (name) {
                    case "specversion" -> into.specversion = text(parser, token);
                    case "id" -> into.id = text(parser, token);
                    case "source" -> into.source = text(parser, token);
                    case "type" -> into.type = text(parser, token);
                    case "time" -> into.time = text(parser, token);
                    case "data" -> readData(parser, token, into);
                    default -> parser.skipChildren();
                }
            }
            expectEnd(parser);
        }
    }

    /** Only the {@code data} of an event whose attributes stand in headers. */
    void readData(byte[] json, CloudEvent into) throws IOException, Refused {
        try (JsonParser parser = JSON.createParser(json)) {
            readData(parser, parser.nextToken(), into);
            expectEnd(parser);
        }
    }

    private static void readData(JsonParser parser, JsonToken first, CloudEvent into) throws IOException {
        into.hasData = first == JsonToken.START_OBJECT;
        if (!into.hasData) {
            parser.skipChildren();
            return;
        }
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            if (name.equals("customer")) {
                readCustomer(parser, token, into);
                continue;
            }
            Field field = Field.named(name);
            if (field == null) {
                parser.skipChildren();
                continue;
            }
            switch (token) {
                case VALUE_STRING -> into.facts.text(field, parser.getText());
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> into.facts.number(field, parser.getText());
                case VALUE_NULL -> into.facts.text(field, null);
                default -> {
                    into.facts.other(field);
                    parser.skipChildren();
                }
            }
        }
    }

    private static void readCustomer(JsonParser parser, JsonToken first, CloudEvent into) throws IOException {
        if (first != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return;
        }
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            switch (name) {
                case "name" -> into.name = text(parser, token);
                case "identifiers" -> into.identified = readIdentifiers(parser, token, into);
                default -> parser.skipChildren();
            }
        }
    }

    /** Whether it is a list of at least one, and of identifiers only. */
    private static boolean readIdentifiers(JsonParser parser, JsonToken first, CloudEvent into) throws IOException {
        if (first != JsonToken.START_ARRAY) {
            parser.skipChildren();
            return false;
        }
        int count = 0;
        boolean good = true;
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            count++;
            good &= readIdentifier(parser, token, into);
        }
        return good && count > 0;
    }

    private static boolean readIdentifier(JsonParser parser, JsonToken first, CloudEvent into) throws IOException {
        if (first != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return false;
        }
        String type = null;
        String value = null;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            switch (name) {
                case "type" -> type = text(parser, token);
                case "value" -> value = text(parser, token);
                default -> parser.skipChildren();
            }
        }
        if (type == null || type.isEmpty() || value == null || value.length() > LONGEST_VALUE) {
            return false;
        }
        if (into.customerNo == null && type.equals("customer_no")) {
            into.customerNo = value;
        }
        return true;
    }

    private static String text(JsonParser parser, JsonToken token) throws IOException {
        if (token == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        parser.skipChildren();
        return null;
    }

    private static void expectEnd(JsonParser parser) throws IOException, Refused {
        if (parser.nextToken() != null) {
            throw new Refused("not-json", "something follows the JSON value");
        }
    }
}
