package io.peft4j.data.task;

import io.peft4j.core.nn.TokenSequence;
import java.util.Objects;

/**
 * A text and what an encoder-decoder is to make of it.
 *
 * @param source what the encoder reads, with the prefix of its task where it has one
 * @param target what the decoder writes
 * @param task the task of an adapter with several ({@link TokenSequence#task})
 */
public record SourceTarget(String source, String target, int task) {
    /** Refuses null. */
    public SourceTarget {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(target, "target");
    }

    /** One that names no task. */
    public SourceTarget(String source, String target) {
        this(source, target, TokenSequence.NO_TASK);
    }
}
