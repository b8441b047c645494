package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What an operation that reads sequences row by row ({@link SequenceKernels}) knows of them before each piece of a
 * {@link RowOrder}, and is asked to write down after it. FLOAT arrays.
 *
 * @param before for each piece without a parent the state it begins with, none where that is zero; an empty list: none
 *     at all
 * @param after for each piece where the state after its last row goes; an empty list: it is not wanted
 */
@Internal(shared = true)
public record PieceStates(List<Optional<INDArray>> before, List<INDArray> after) {
    /** Sequences begin with the batch, and none is continued after it. */
    public static final PieceStates NONE = new PieceStates(List.of(), List.of());

    /** Copies the lists. */
    public PieceStates {
        before = List.copyOf(before);
        after = List.copyOf(after);
    }

    /** The state before a piece. */
    public Optional<INDArray> before(int piece) {
        return before.isEmpty() ? Optional.empty() : before.get(piece);
    }

    /** Where the state after a piece goes. */
    public Optional<INDArray> after(int piece) {
        return after.isEmpty() ? Optional.empty() : Optional.of(after.get(piece));
    }
}
