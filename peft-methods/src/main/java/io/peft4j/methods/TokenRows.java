package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.Initializer;
import io.peft4j.core.peft.MergedLayer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An embedding with trained rows [k, H] in place of those of k tokens. The padding token's row is not trained by it, as
 * PyTorch's {@code padding_idx} has it.
 *
 * <p>Merged: the rows.
 */
final class TokenRows implements AdapterLayer {
    private final Slot slot;
    private final int[] tokens;
    private final Map<Integer, Integer> rowOf = new HashMap<>();
    private final Set<Integer> untrained;
    private final AdapterTensor rows;

    TokenRows(AdapterSetup setup, Slot slot, TrainableTokensConfig config) {
        Embedding embedding = (Embedding) slot.layer();
        this.slot = slot;
        this.tokens = config.tokenIndices().stream().mapToInt(Integer::intValue).toArray();
        for (int i = 0; i < tokens.length; i++) {
            rowOf.put(tokens[i], i);
        }
        this.untrained = embedding.paddingId().isPresent() && rowOf.containsKey(embedding.paddingId().getAsInt())
                ? Set.of(rowOf.get(embedding.paddingId().getAsInt())) : Set.of();
        this.rows = setup.tensor(slot, "trainable_tokens_delta", config.initWeights() ? copy(embedding)
                : Initializer.normal(1), tokens.length, embedding.table().columns()).inPlaceOfBase();
    }

    private Initializer copy(Embedding embedding) {
        return (values, random) -> {
            float[] row = new float[embedding.table().columns()];
            for (int i = 0; i < tokens.length; i++) {
                embedding.table().readRow(tokens[i], row, 0);
                Arrays.write(values, (long) i * row.length, row, 0, row.length);
            }
        };
    }

    int[] tokens() {
        return tokens;
    }

    AdapterTensor rows() {
        return rows;
    }

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        int[] ids = context.batch().tokens();
        int[] source = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            source[i] = rowOf.getOrDefault(ids[i], -1);
        }
        return RowOps.replaceRows(context.tape(), base.forward(context, x),
                context.tape().parameter(rows.parameter()), source, untrained);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(rows);
    }

    /** Two adapters cannot both say what a token's row is. */
    @Override
    public boolean replacesBase() {
        return true;
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        write(copy.weight());
    }

    void write(INDArray weight) {
        float[] values = Arrays.toFloats(rows.parameter().value());
        int width = Arrays.columns(weight);
        for (int i = 0; i < tokens.length; i++) {
            Arrays.write(weight, (long) tokens[i] * width, values, i * width, width);
        }
    }
}
