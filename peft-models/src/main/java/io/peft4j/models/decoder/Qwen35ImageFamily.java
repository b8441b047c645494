package io.peft4j.models.decoder;

/** Qwen 3.5 for text and images: its text part. */
public final class Qwen35ImageFamily extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen35ImageFamily() {
        super("qwen3_5", "qwen3_5_text");
    }
}
