package io.peft4j.core.nn;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen embedding table [V, H]. Its input is the batch's token ids ({@link PackedBatch#tokens()}), unless it is one
 * of positions or the like; the argument of {@link #forward} is not read ({@link ForwardContext#noInput()}).
 */
public final class Embedding implements WeightedLayer {
    private final FrozenWeight table;
    private final OptionalInt paddingId;
    private final Function<PackedBatch, int[]> ids;

    /** An embedding with the given table, without a padding token. */
    public Embedding(FrozenWeight table) {
        this(table, OptionalInt.empty());
    }

    /** An embedding with the given table and padding token. */
    public Embedding(FrozenWeight table, OptionalInt paddingId) {
        this(table, paddingId, PackedBatch::tokens);
    }

    /**
     * An embedding of something else than tokens, such as their positions.
     *
     * @param ids gives for each row of a batch the row of the table
     */
    public Embedding(FrozenWeight table, OptionalInt paddingId, Function<PackedBatch, int[]> ids) {
        this.ids = Objects.requireNonNull(ids, "ids");
        this.table = Objects.requireNonNull(table, "table");
        this.paddingId = Objects.requireNonNull(paddingId, "paddingId");
        if (paddingId.isPresent()) {
            Objects.checkIndex(paddingId.getAsInt(), table.rows());
        }
    }

    /** The table [V, H]. */
    public FrozenWeight table() {
        return table;
    }

    @Override
    public Optional<FrozenWeight> matrix() {
        return Optional.of(table);
    }

    @Override
    public WeightedLayer with(INDArray otherTable, Optional<INDArray> bias) {
        return new Embedding(new DenseWeight(otherTable), paddingId, ids);
    }

    /** As {@link #forward(ForwardContext, Variable)}; the row of the padding token gets no gradient. */
    @Override
    public Variable forward(ForwardContext context, Variable x, Variable otherTable, Optional<Variable> bias) {
        return RowOps.trainedEmbedding(context.tape(), otherTable, ids(context.batch()), paddingId,
                context.tape().activationType());
    }

    /** For each row of a batch the row of the table that it gets. */
    public int[] ids(PackedBatch batch) {
        return ids.apply(batch);
    }

    /**
     * The token whose row an adapter on this embedding does not train, as in Hugging Face Transformers, where the
     * checkpoint names one ({@code pad_token_id}). It may well be a token with a meaning.
     */
    public OptionalInt paddingId() {
        return paddingId;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return RowOps.embedding(context.tape(), table, ids(context.batch()));
    }
}
