package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import java.util.function.Function;

/** Chooses the layer that runs at each place of a model: the base layer, or one wrapped by adapters. */
@Internal(shared = true)
@FunctionalInterface
public interface LayerSelection {
    /** The base model as it is. */
    LayerSelection BASE = Slot::layer;

    /** The layer that runs at {@code slot}. */
    Layer at(Slot slot);

    /**
     * The batch that runs instead of {@code batch} in training and evaluation: the batch itself, or one with rows for
     * virtual tokens. A pass is therefore read by the batch of its {@link ForwardContext}.
     */
    default PackedBatch prepare(PackedBatch batch) {
        return batch;
    }

    /**
     * What a training of next-token prediction learns of a batch that was {@linkplain #prepare prepared}: its targets,
     * or these and, behind them, tokens of what comes before every sequence. The sum of all by their weights is divided
     * by the weights of the batch's own.
     */
    default PackedBatch.Targets learned(PackedBatch prepared) {
        return prepared.targets();
    }

    /**
     * Called before the network of a pass runs.
     *
     * @param hidden the network up to its final norm
     * @return the pass, with what the layers need of it as a whole
     */
    default ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
        return context;
    }

    /**
     * The group of sequence number {@code sequence} of those that are about to run, where groups run through layers of
     * their own ({@link PackedBatch#groups()}); 0 elsewhere.
     */
    default int group(int sequence) {
        return 0;
    }

    /**
     * Whether a row depends on rows that come after it: then a prompt is computed in one pass, and its keys and values
     * serve no other one.
     */
    default boolean readsWholeSequences() {
        return false;
    }

    /** Whether all rows of a batch run through the last layer, also those whose output there nothing reads. */
    default boolean needsAllRows(boolean training) {
        return readsWholeSequences();
    }

    /**
     * The task that adapters compute rows as.
     *
     * @param asked what the rows name, or {@link TokenSequence#NO_TASK}
     * @return refused when an adapter has no such task, or several and none is named; default {@link RowTask#NONE}
     */
    default RowTask task(int asked) {
        return RowTask.NONE;
    }

    /** Positions that come before every sequence in the batch that {@link #prepare} gives; the model has less room. */
    default int virtualTokens() {
        return 0;
    }
}
