package io.peft4j.models.architecture;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.PackedBatch;

/** What a network asks of a batch before kernels read it, which do not check. */
public final class BatchChecks {
    private BatchChecks() {
    }

    /**
     * Checks the lengths of a batch's sequences.
     *
     * @throws IllegalArgumentException when one is longer than the model's limit
     */
    public static void requirePositions(PackedBatch batch, ModelDescription description) {
        if (batch.maxPosition() >= description.maxPositions()) {
            throw new IllegalArgumentException("a sequence of " + (batch.maxPosition() + 1) + " tokens is longer than "
                    + "the limit of " + description.name() + ", " + description.maxPositions());
        }
    }

    /**
     * Checks the tokens of a batch.
     *
     * @throws IllegalArgumentException when one is not in the vocabulary
     */
    public static void requireTokens(PackedBatch batch, ModelDescription description) {
        for (int id : batch.tokens()) {
            if (id < 0 || id >= description.vocabularySize()) {
                throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of "
                        + description.vocabularySize());
            }
        }
    }
}
