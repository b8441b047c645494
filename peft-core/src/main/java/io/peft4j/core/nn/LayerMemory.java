package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import java.util.List;

/** What a layer remembers of a sequence in generation; {@link KvCache} holds it for all layers of a network. */
@Internal(shared = true)
public sealed interface LayerMemory {
    /**
     * Keys and values of each token, or of each token in a window.
     *
     * @param columns key/value heads x D
     */
    record KeysAndValues(int columns) implements LayerMemory {
    }

    /**
     * The keys and values of an earlier layer, which both attend to.
     *
     * @param layer the number of the layer that computes them
     */
    record Shared(int layer) implements LayerMemory {
    }

    /** What attention and what another part of the same layer remembers. */
    record Both(KeysAndValues tokens, State state) implements LayerMemory {
    }

    /**
     * A state after the last token, which replaces the one before: the last inputs of a convolution, what a recurrence
     * has come to.
     *
     * @param parts the arrays that the state is made of; none in a layer that remembers nothing
     */
    record State(List<Part> parts) implements LayerMemory {
        /** Copies the list. */
        public State {
            parts = List.copyOf(parts);
        }

        /** A FLOAT array [rows, columns]. */
        public record Part(int rows, int columns) {
        }
    }
}
