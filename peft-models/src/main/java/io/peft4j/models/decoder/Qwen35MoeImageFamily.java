package io.peft4j.models.decoder;

/** Qwen 3.5 with experts for text and images: its text part. */
public final class Qwen35MoeImageFamily extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen35MoeImageFamily() {
        super("qwen3_5_moe", "qwen3_5_moe_text");
    }
}
