package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;

/**
 * What an adapter does at one place of the base model. The base layer is given to every call and never changed, so that
 * adapters can be stacked and switched, and one base serves many of them.
 */
public interface AdapterLayer {
    /** The place. */
    Slot slot();

    /**
     * Computes the output for {@code x} with the help of {@code base}.
     *
     * @param context the running pass; {@link ForwardContext#isTraining()} says whether dropout is on
     * @param x the input of the place
     * @param base what is below: the base layer, or it with the adapters that come before this one; it may be run
     *     once, on {@code x} or on something of its shape, or not at all
     */
    Variable forward(ForwardContext context, Variable x, Layer base);

    /**
     * The tensors, named as in Hugging Face PEFT's file after the path and a dot, for instance {@code lora_A.weight}.
     */
    List<AdapterTensor> tensors();

    /**
     * Whether the layer replaces the base layer and does not run what is below. Of all active adapters one at most
     * may do so at a place, and it is put below all others.
     */
    default boolean replacesBase() {
        return false;
    }

    /**
     * Whether the layer changes its input alone and leaves the output to what is below. Of several such layers at a
     * place, the one that was activated first meets the input first, as in Hugging Face PEFT, so it is put above the
     * others. Layers of which each changes a weight on its own ({@code W H1 H2}) are not meant; the first of them stays
     * the lowest.
     */
    default boolean turnsInput() {
        return false;
    }

    /** The place that its tensors are named by in a file; usually its own. */
    default Slot storedAt() {
        return slot();
    }

    /** Why the layer cannot be merged into the base layer, as a sentence; empty, the default, where that works. */
    default Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    /**
     * Changes a copy of the base layer so that it computes what {@link #forward} does without dropout, in f32 from sums
     * in double. Called only without a {@link #mergeObstacle}.
     */
    default void mergeInto(MergedLayer copy) {
        throw new IllegalStateException(getClass().getSimpleName() + " has no merged form");
    }

    /**
     * Says that the base layer runs with a bias that the adapter trains, for layers that take the bias into account.
     */
    default void useBias(AdapterTensor bias) {
    }

    /**
     * The change to the base layer's weight as a product of two small matrices, where this layer makes exactly that
     * change and no other; empty for all other layers.
     */
    @Internal(shared = true)
    default Optional<LowRankUpdate> lowRankUpdate() {
        return Optional.empty();
    }

    /**
     * Whether a row depends on rows that come after it, as where the layer averages over a sequence. Then no sequences
     * share rows, and a prompt is computed as a whole.
     */
    default boolean readsWholeSequences() {
        return false;
    }

    /**
     * Whether training averages over the rows of a batch, so that none may be left out, though nothing reads what
     * becomes of it.
     */
    default boolean averagesInTraining() {
        return false;
    }

    /** Whether {@link #forward} drops values of its input in training. */
    default boolean hasDropout() {
        return false;
    }

    /**
     * Why the layer cannot run on some rows of a batch while other adapters run on the rest, as a sentence; empty where
     * each of its rows depends on the same row of its input alone.
     */
    default Optional<String> mixingObstacle() {
        return MergedLayer.canCopy(slot().layer()) ? Optional.empty()
                : Optional.of("at " + slot().path() + " it works on whole sequences");
    }
}
