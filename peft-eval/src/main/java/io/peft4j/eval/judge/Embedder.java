package io.peft4j.eval.judge;

import java.util.List;

/** Texts as vectors, near each other where they mean the same: a model on a server, or {@link HiddenStates}. */
public interface Embedder {
    /** What makes the vectors, for reports. */
    String name();

    /**
     * One vector for each text, in their order, all of one length.
     *
     * @throws java.io.UncheckedIOException when a server cannot be reached or fails
     */
    List<float[]> embed(List<String> texts);
}
