package io.peft4j.models.decoder;

/** Gemma 3 of 4 billion parameters and more, which also read images (<a
 * href="https://arxiv.org/abs/2503.19786">2503.19786</a>); its text part. */
public final class Gemma3ImageFamily extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gemma3ImageFamily() {
        super("gemma3", "gemma3_text");
    }
}
