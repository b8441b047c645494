package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.random.TorchRandom;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Arrow on a linear layer: {@code y = base(x) + (c * (x A^T)) B^T}: A [E r, in] and B [out, E r] those of E adapters
 * one after the other, B scaled; c [N, E] the softmax of the k largest of {@code |x P^T| / T}, P [E, in].
 */
final class ArrowLayer extends AbstractAdapterLayer {
    /** Rounds of power iteration in Hugging Face PEFT. */
    private static final int ROUNDS = 15;
    /** The rounds of an exact one are 2 to the power of this. */
    private static final int SQUARES = 16;

    private final Arrow arrow;
    /** What the file of the router has. */
    private final List<AdapterTensor> idle;
    /** A, B and P. */
    private final INDArray[] derived;

    ArrowLayer(AdapterSetup setup, Slot slot, LoraConfig config, List<LowRankUpdate> mixed,
            List<LowRankUpdate> general) {
        super(slot);
        this.arrow = config.arrow().orElseThrow();
        int in = linear().inFeatures();
        int out = linear().outFeatures();
        int rank = mixed.get(0).rank();
        int all = mixed.size() * rank;
        this.idle = List.of(setup.tensor(slot, "lora_A.weight", config.initialization().a(rank, in), rank, in).frozen(),
                setup.tensor(slot, "lora_B.weight", config.initialization().b(rank), out, rank).frozen());
        float[] a = new float[all * in];
        float[] b = new float[out * all];
        float[] prototypes = new float[mixed.size() * in];
        for (int e = 0; e < mixed.size(); e++) {
            double[] ownA = less(mixed.get(e).aValues(), general.stream().map(LowRankUpdate::aValues).toList());
            double[] ownB = less(mixed.get(e).bValues(), general.stream().map(LowRankUpdate::bValues).toList());
            for (int i = 0; i < ownA.length; i++) {
                a[e * rank * in + i] = (float) ownA[i];
            }
            for (int i = 0; i < ownB.length; i++) {
                b[i / rank * all + e * rank + i % rank] = (float) (mixed.get(e).scaling() * ownB[i]);
            }
            System.arraycopy(prototype(ownA, ownB, rank, in), 0, prototypes, e * in, in);
        }
        this.derived = new INDArray[] {Arrays.of(a, all, in), Arrays.of(b, out, all),
            Arrays.of(prototypes, mixed.size(), in)};
    }

    /** Values less the mean of others. */
    private static double[] less(float[] values, List<float[]> others) {
        double[] result = Arrays.doubles(values);
        others.forEach(other -> {
            for (int i = 0; i < result.length; i++) {
                result[i] -= (double) other[i] / others.size();
            }
        });
        return result;
    }

    /**
     * The right singular vector of B A: {@code v = A^T C A v} again and again, C = B^T B, brought to length 1. After
     * the first round v is {@code A^T u}, so that all others are {@code u = C (A A^T) u}, of r numbers.
     */
    private float[] prototype(double[] a, double[] b, int rank, int in) {
        int out = b.length / rank;
        double[] start = Arrays.doubles(new TorchRandom(arrow.seed().orElse(0)).normal(in, 1));
        double[] c = DenseMath.product(Arrays.doubles(Arrays.transposed(Arrays.floats(b), out, rank)), rank, out, b,
                rank);
        double[] u = DenseMath.product(c, rank, rank, DenseMath.productTransposed(a, rank, in, start, 1), 1);
        double[] step = DenseMath.product(c, rank, rank, DenseMath.productTransposed(a, rank, in, a, rank), rank);
        if (arrow.seed().isPresent()) {
            for (int round = 1; round < ROUNDS; round++) {
                u = DenseMath.product(step, rank, rank, unit(u), 1);
            }
        } else {
            for (int i = 0; i < SQUARES; i++) {
                step = DenseMath.product(unit(step), rank, rank, unit(step), rank);
            }
            u = DenseMath.product(step, rank, rank, unit(u), 1);
        }
        return Arrays.floats(unit(DenseMath.product(unit(u), 1, rank, a, in)));
    }

    /** Divided by the root of the summed squares; zeros stay. */
    private static double[] unit(double[] values) {
        double norm = Math.sqrt(DoubleStream.of(values).map(value -> value * value).sum());
        return norm == 0 ? values : DoubleStream.of(values).map(value -> value / norm).toArray();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable similarities = MatrixOps.product(tape, x, false, tape.constant(derived[2]), true);
        Variable h = MatrixOps.product(tape, x, false, tape.constant(derived[0]), true);
        return ElementwiseOps.addInto(tape, MatrixOps.product(tape, LoraMixtureLayer.mix(tape, h,
                largest(tape, similarities)), false, tape.constant(derived[1]), true), y);
    }

    /** {@code |s| / T} of the k largest of each row, of equal ones the first, and -infinity. */
    private Variable largest(Tape tape, Variable s) {
        float[] values = Arrays.toFloats(s.value());
        int experts = s.columns();
        float[] slopes = new float[values.length];
        float[] result = new float[values.length];
        java.util.Arrays.fill(result, Float.NEGATIVE_INFINITY);
        for (int row = 0; row < values.length; row += experts) {
            IntStream.range(row, row + experts).boxed()
                    .sorted((i, j) -> Float.compare(Math.abs(values[j]), Math.abs(values[i]))).limit(arrow.chosen())
                    .forEach(i -> {
                        slopes[i] = (float) (Math.signum(values[i]) / arrow.temperature());
                        result[i] = slopes[i] * values[i];
                    });
        }
        INDArray chosen = tape.allocateFloat(s.rows(), experts);
        Arrays.write(chosen, 0, result, 0, result.length);
        return tape.record(chosen, (out, dz) -> s.addGradient((ds, accumulate) -> {
            float[] gradient = Arrays.toFloats(dz);
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] *= slopes[i];
            }
            HeapRows.write(ds, gradient, accumulate);
        }), List.of(s));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return idle;
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("arrow_config mixes adapters separately for each token, and a weight is the same for all");
    }

    void closeDerived() {
        for (INDArray array : derived) {
            array.close();
        }
    }
}
