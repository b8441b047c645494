package io.peft4j.data.clean;

/** Kinds of personal data. */
public enum PiiKind {
    /** An e-mail address. */
    EMAIL("e-mail address", "[EMAIL]"),
    /** A telephone number. */
    PHONE("telephone number", "[PHONE]"),
    /** An international bank account number with the right check digits. */
    IBAN("bank account number (IBAN)", "[IBAN]"),
    /** A number of a payment card with the right check digit. */
    CARD("card number", "[CARD]"),
    /** An address on the internet, version 4 or 6. */
    IP("IP address", "[IP]"),
    /** A number that a state gives to a person. */
    NATIONAL_ID("national identity number", "[ID]"),
    /** The name of a person, which only a model finds ({@link PiiDetector#with}). */
    NAME("name of a person", "[NAME]"),
    /** A postal address, which only a model finds. */
    ADDRESS("postal address", "[ADDRESS]");

    private final String title;
    private final String placeholder;

    PiiKind(String title, String placeholder) {
        this.title = title;
        this.placeholder = placeholder;
    }

    /** What it is called in messages. */
    public String title() {
        return title;
    }

    /** Its replacement after redaction. */
    public String placeholder() {
        return placeholder;
    }
}
