package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The frozen weights of all experts of a layer in one matrix [E x O, I], those of expert e in rows {@code e * O} to
 * {@code (e + 1) * O - 1}, and their biases, if any, in one vector [E x O]. Computes {@code y = x W_e^T + b_e} for the
 * expert that the pass is in ({@link ForwardContext#expert()}): x [N, I], y [N, O].
 *
 * <p>Hugging Face Transformers holds it as a parameter ({@link #isParameter}).
 */
@Internal(shared = true)
public final class ExpertWeight implements WeightedLayer {
    private final FrozenWeight whole;
    private final List<Linear> experts = new ArrayList<>();
    private final Optional<INDArray> bias;
    private final int[] storedRows;

    /**
     * Experts.
     *
     * @param weight [E x O, I]
     * @param count E, a divisor of the rows
     * @param bias FLOAT [E x O], if any
     * @param storedRows for each output feature of an expert its number in Hugging Face Transformers; none where
     *     features have the same order there
     */
    public ExpertWeight(INDArray weight, int count, Optional<INDArray> bias, int... storedRows) {
        this.storedRows = storedRows.clone();
        this.whole = new DenseWeight(weight);
        this.bias = bias;
        int out = Arrays.rows(weight) / count;
        if (count < 1 || (long) out * count != weight.size(0)) {
            throw new IllegalArgumentException(weight.size(0) + " rows are not those of " + count + " experts");
        }
        for (int i = 0; i < count; i++) {
            int from = i * out;
            experts.add(new Linear(new DenseWeight(Arrays.rowRange(weight, from, from + out)),
                    bias.map(all -> part(all, from, out))));
        }
    }

    private static INDArray part(INDArray vector, int from, int count) {
        return Arrays.reshaped(Arrays.rowRange(Arrays.reshaped(vector, vector.length(), 1), from, from + count), count);
    }

    /** E. */
    public int experts() {
        return experts.size();
    }

    /** O, the output features of an expert. */
    public int outFeatures() {
        return whole.rows() / experts.size();
    }

    /**
     * For each output feature of an expert its number in Hugging Face Transformers; none where features have the same
     * order there.
     */
    public int[] storedRows() {
        return storedRows.clone();
    }

    @Override
    public Optional<FrozenWeight> matrix() {
        return Optional.of(whole);
    }

    @Override
    public Optional<INDArray> bias() {
        return bias;
    }

    @Override
    public boolean isParameter() {
        return true;
    }

    @Override
    public WeightedLayer with(INDArray weight, Optional<INDArray> otherBias) {
        return new ExpertWeight(weight, experts.size(), otherBias, storedRows);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return experts.get(context.expert()).forward(context, x);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Variable weight, Optional<Variable> otherBias) {
        Tape tape = context.tape();
        int out = outFeatures();
        int[] rows = IntStream.range(context.expert() * out, (context.expert() + 1) * out).toArray();
        Variable y = MatrixOps.matmulTransposed(tape, x, RowOps.gatherRows(tape, weight, rows));
        return experts.get(context.expert()).bias().map(own -> MatrixOps.addBias(tape, y, tape.constant(own)))
                .orElse(y);
    }
}
