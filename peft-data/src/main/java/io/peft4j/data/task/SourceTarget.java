package io.peft4j.data.task;

import java.util.Objects;

/**
 * A text and what an encoder-decoder is to make of it.
 *
 * @param source what the encoder reads, with the prefix of its task where it has one
 * @param target what the decoder writes
 */
public record SourceTarget(String source, String target) {
    /** Refuses null. */
    public SourceTarget {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(target, "target");
    }
}
