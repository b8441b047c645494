package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
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
@Internal(shared = true)
public final class Embedding implements WeightedLayer {
    private final FrozenWeight table;
    private final OptionalInt paddingId;
    private final Function<PackedBatch, int[]> ids;
    private final float scale;

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
        this(table, paddingId, ids, 1);
    }

    private Embedding(FrozenWeight table, OptionalInt paddingId, Function<PackedBatch, int[]> ids, float scale) {
        this.ids = Objects.requireNonNull(ids, "ids");
        this.scale = scale;
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
        return new Embedding(new DenseWeight(otherTable), paddingId, ids, scale);
    }

    /** As {@link #forward(ForwardContext, Variable)}; the row of the padding token gets no gradient. */
    @Override
    public Variable forward(ForwardContext context, Variable x, Variable otherTable, Optional<Variable> bias) {
        return scaled(context, RowOps.trainedEmbedding(context.tape(), otherTable, ids(context.batch()), paddingId,
                context.tape().activationType()));
    }

    /** The same with another factor on the rows of the table where they are used, as Gemma has it. */
    public Embedding withScale(float factor) {
        return new Embedding(table, paddingId, ids, factor);
    }

    /** Factor on the rows of the table where they are used. */
    public float scale() {
        return scale;
    }

    /** Rows of a table as they are used. */
    public Variable scaled(ForwardContext context, Variable rows) {
        return scale == 1 ? rows : ElementwiseOps.scale(context.tape(), rows, scale);
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
        return scaled(context, RowOps.embedding(context.tape(), table, ids(context.batch())));
    }

    @Override
    public String toString() {
        return "Embedding " + table;
    }
}
