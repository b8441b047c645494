package io.peft4j.models.decoder;

/** Mistral Small 3.1 and Ministral 3, which also read images; their text part, a Mistral or a Ministral 3. */
public final class Mistral3Family extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Mistral3Family() {
        super("mistral3", "mistral");
    }
}
