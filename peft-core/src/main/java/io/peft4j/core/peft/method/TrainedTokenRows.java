package io.peft4j.core.peft.method;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An embedding with trained rows [k, H] in place of those of k tokens. The padding token's row is not trained by it, as
 * PyTorch's {@code padding_idx} has it.
 *
 * <p>Merged: the rows.
 */
final class TrainedTokenRows extends ReplacementLayer {
    private final Embedding embedding;
    private final Values rows;
    private final Map<Integer, Integer> rowOf = new HashMap<>();
    private final Set<Integer> untrained;

    /**
     * Trained rows.
     *
     * @param tokens k token ids
     * @param tensor [k, H]
     */
    record Values(int[] tokens, AdapterTensor tensor) {
        /** The same, counted as parameters of the base model. */
        Values inPlaceOfBase() {
            return new Values(tokens, tensor.inPlaceOfBase());
        }

        /** Writes the rows into a weight [V, H]. */
        void write(INDArray weight) {
            float[] values = Arrays.toFloats(tensor.parameter().value());
            int width = Arrays.columns(weight);
            for (int i = 0; i < tokens.length; i++) {
                Arrays.write(weight, (long) tokens[i] * width, values, i * width, width);
            }
        }
    }

    TrainedTokenRows(Slot slot, Values rows) {
        super(slot);
        this.embedding = (Embedding) slot.layer();
        this.rows = rows;
        for (int i = 0; i < rows.tokens().length; i++) {
            rowOf.put(rows.tokens()[i], i);
        }
        this.untrained = embedding.paddingId().isPresent() && rowOf.containsKey(embedding.paddingId().getAsInt())
                ? Set.of(rowOf.get(embedding.paddingId().getAsInt())) : Set.of();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        int[] ids = embedding.ids(context.batch());
        int[] source = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            source[i] = rowOf.getOrDefault(ids[i], -1);
        }
        return RowOps.replaceRows(context.tape(), base.forward(context, x),
                ((Embedding) slot().layer()).scaled(context, context.tape().parameter(rows.tensor().parameter())),
                source, untrained);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(rows.tensor());
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        rows.write(copy.weight());
    }
}
