package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.PieceStates;
import io.peft4j.core.kernel.RowOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a layer that reads sequences row by row does so in a pass: in which order, and in generation from which states
 * and to which. In generation the cache keeps the state after the last row of each segment of the batch, so whoever
 * builds the batch decides where a sequence can go on: a token that may be taken back ends a segment of its own.
 *
 * @param order the rows
 * @param states for each part of the layer's state what is known before and wanted after each piece
 */
@Internal(shared = true)
public record SequenceMemory(RowOrder order, List<PieceStates> states) {
    /** Copies the list. */
    public SequenceMemory {
        states = List.copyOf(states);
    }

    /**
     * The memory of a layer in a pass.
     *
     * @param context the pass on all rows
     * @param layer number of the layer in the cache
     * @param parts how many parts its state has
     * @throws IllegalStateException when a sequence continues behind a row after which no state was kept
     */
    public static SequenceMemory of(ForwardContext context, int layer, int parts) {
        PackedBatch batch = context.batch();
        Optional<KvCache> cache = context.cache();
        if (cache.isEmpty()) {
            List<PieceStates> none = new ArrayList<>();
            for (int part = 0; part < parts; part++) {
                none.add(PieceStates.NONE);
            }
            return new SequenceMemory(RowOrder.of(batch.layout()), none);
        }
        RowOrder order = RowOrder.of(batch.layout(), batch.cacheRows());
        List<Optional<List<INDArray>>> before = new ArrayList<>();
        for (RowOrder.Piece piece : order.pieces()) {
            before.add(piece.before() < 0 ? Optional.empty()
                    : Optional.of(cache.get().stateAfter(layer, piece.before())));
        }
        cache.get().dropStates(layer, batch.cacheRows());
        List<List<INDArray>> after = new ArrayList<>();
        for (RowOrder.Piece piece : order.pieces()) {
            after.add(cache.get().roomForState(layer, batch.cacheRows()[piece.end() - 1]));
        }
        List<PieceStates> states = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            int number = part;
            states.add(new PieceStates(before.stream().map(state -> state.map(arrays -> arrays.get(number))).toList(),
                    after.stream().map(arrays -> arrays.get(number)).toList()));
        }
        return new SequenceMemory(order, states);
    }
}
