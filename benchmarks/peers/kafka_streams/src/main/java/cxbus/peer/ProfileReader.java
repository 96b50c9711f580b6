package cxbus.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Reads what {@link ProfileWriter} wrote. */
final class ProfileReader {

    private static final JsonFactory JSON =
            JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private final JsonParser parser;
    private Profile profile;

    private ProfileReader(JsonParser parser) {
        this.parser = parser;
    }

    static Profile read(byte[] json) {
        try (JsonParser parser = JSON.createParser(json)) {
            return new ProfileReader(parser).document();
        } catch (IOException failure) {
            throw new UncheckedIOException("the profile's document is damaged", failure);
        }
    }

    private Profile document() throws IOException {
        parser.nextToken();
        for (String name = nextName(); name != null; name = nextName()) {
            switch (name) {
                case "customerId" -> profile = new Profile(parser.getText());
                case "name" -> profile.name = parser.getText();
                case "entries" -> profile.entries = parser.getIntValue();
                case "lastContact" -> lastContact();
                case "open" -> matters();
                case "standing" -> standing();
                case "state" -> state();
                default -> parser.skipChildren();
            }
        }
        return profile;
    }

    private void state() throws IOException {
        for (String name = nextName(); name != null; name = nextName()) {
            switch (name) {
                case "named" -> profile.named = instant();
                case "latest" -> profile.latest = instant();
                case "engaged" -> profile.engaged = instant();
                case "contacts" -> contacts();
                case "closed" -> matters();
                default -> parser.skipChildren();
            }
        }
    }

    private void lastContact() throws IOException {
        for (String name = nextName(); name != null; name = nextName()) {
            for (Department department : Department.ALL) {
                if (department.wire.equals(name)) {
                    profile.lastContact[department.ordinal()] = instant();
                }
            }
        }
    }

    private void contacts() throws IOException {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            profile.contacts.add(instant());
        }
    }

    private void standing() throws IOException {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String rule = null;
            String key = null;
            long at = Instants.NONE;
            for (String name = nextName(); name != null; name = nextName()) {
                switch (name) {
                    case "rule" -> rule = parser.getText();
                    case "key" -> key = parser.getText();
                    case "time" -> at = instant();
                    default -> parser.skipChildren();
                }
            }
            profile.standing.add(new Profile.Standing(rule, key, at));
        }
    }

    /** Each begins with its entity and id. */
    private void matters() throws IOException {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            nextName();
            String entity = parser.getText();
            nextName();
            String id = parser.getText();
            switch (entity) {
                case "case" -> supportCase(id);
                case "invoice" -> invoice(id);
                case "opportunity" -> opportunity(id);
                default -> throw new IOException("no such matter: " + entity);
            }
        }
    }

    private void supportCase(String id) throws IOException {
        SupportCase one = new SupportCase(id);
        for (String name = nextName(); name != null; name = nextName()) {
            switch (name) {
                case "since" -> one.opened = instant();
                case "category" -> one.category = parser.getText();
                case "closed" -> one.closed = instant();
                default -> parser.skipChildren();
            }
        }
        profile.cases.put(id, one);
    }

    private void invoice(String id) throws IOException {
        Invoice one = new Invoice(id);
        for (String name = nextName(); name != null; name = nextName()) {
            switch (name) {
                case "since" -> one.since = instant();
                case "total" -> one.total = parser.getText();
                case "currency" -> one.currency = parser.getText();
                case "dueDate" -> one.dueDate = parser.getText();
                case "overdue" -> one.overdue = instant();
                case "closed" -> one.closed = instant();
                case "payments" -> payments(one);
                default -> parser.skipChildren();
            }
        }
        profile.invoices.put(id, one);
    }

    private void payments(Invoice invoice) throws IOException {
        for (String id = nextName(); id != null; id = nextName()) {
            String total = parser.nextTextValue();
            String currency = parser.nextTextValue();
            parser.nextToken();
            invoice.payments.put(id, new Invoice.Payment(total, currency));
        }
    }

    private void opportunity(String id) throws IOException {
        Opportunity one = new Opportunity(id);
        for (String name = nextName(); name != null; name = nextName()) {
            switch (name) {
                case "since" -> one.since = instant();
                case "stage" -> one.stage = parser.getText();
                case "changed" -> one.changed = instant();
                default -> parser.skipChildren();
            }
        }
        profile.opportunities.put(id, one);
    }

    private long instant() throws IOException {
        return Instants.parse(parser.getText());
    }

    /** Steps to the next member's value; null behind the last. */
    private String nextName() throws IOException {
        String name = parser.nextFieldName();
        if (name != null) {
            parser.nextToken();
        }
        return name;
    }
}
