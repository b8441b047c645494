package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.PieceStates;
import io.peft4j.core.kernel.RowOrder;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.kernel.SequenceKernels;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations that read sequences in their order, on a tape; see {@link SequenceKernels}. */
@Internal(shared = true)
public final class SequenceOps {
    private SequenceOps() {
    }

    /**
     * What a scan reads, on a tape.
     *
     * @param queries [N, key heads x Dk]
     * @param keys [N, key heads x Dk]
     * @param values [N, value heads x Dv]
     * @param decay g [N, value heads], FLOAT
     * @param rate beta [N, value heads], FLOAT; empty: values are added as they are
     */
    public record ScanVariables(Variable queries, Variable keys, Variable values, Variable decay,
            Optional<Variable> rate) {
        private ScanInputs arrays() {
            return new ScanInputs(queries.value(), keys.value(), values.value(), decay.value(),
                    rate.map(Variable::value));
        }

        private List<Variable> all() {
            List<Variable> all = new ArrayList<>(List.of(queries, keys, values, decay));
            rate.ifPresent(all::add);
            return all;
        }
    }

    /**
     * Short causal convolution with frozen weights; see {@link SequenceKernels#convolution}.
     *
     * @param states none where gradients are wanted
     */
    public static Variable convolution(Tape tape, Variable x, INDArray weight, Optional<INDArray> bias,
            RowOrder order, PieceStates states) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocateLike(x.value());
        kernels.convolution(x.value(), weight, bias, order, states, y);
        return tape.recordRecomputable(y,
                result -> kernels.convolution(x.value(), weight, bias, order, PieceStates.NONE, result),
                (out, dy) -> x.addGradient((dx, accumulate) -> kernels.convolutionBackward(dy, weight, order, dx,
                        accumulate)),
                List.of(x));
    }

    /**
     * Linear attention with a state that decays; see {@link SequenceKernels#scan}.
     *
     * @param states none where gradients are wanted
     */
    public static Variable scan(Tape tape, ScanShape shape, ScanVariables inputs, RowOrder order, PieceStates states) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocateLike(inputs.values().value());
        kernels.scan(shape, inputs.arrays(), order, states, y);
        List<Variable> all = inputs.all();
        return tape.record(y, (out, dy) -> {
            List<INDArray> gradients = all.stream().map(input -> tape.allocateLike(input.value())).toList();
            kernels.scanBackward(dy, shape, inputs.arrays(), order, new ScanInputs(gradients.get(0), gradients.get(1),
                    gradients.get(2), gradients.get(3), inputs.rate().map(rate -> gradients.get(4))));
            for (int i = 0; i < gradients.size(); i++) {
                all.get(i).addTemporaryGradient(gradients.get(i));
            }
        }, all);
    }

    /**
     * The steps of a recurrence, {@code clamp(log(1 + exp(x + bias)), least, most)}: x [N, heads], bias FLOAT [heads],
     * result FLOAT [N, heads]. Gradient: {@code dy * sigmoid(x + bias)}, 0 where it is clamped.
     */
    public static Variable steps(Tape tape, Variable x, INDArray bias, double least, double most) {
        float[] inputs = Arrays.toFloats(x.value());
        float[] added = Arrays.toFloats(bias);
        float[] steps = new float[inputs.length];
        float[] slopes = new float[inputs.length];
        for (int i = 0; i < steps.length; i++) {
            double sum = (double) inputs[i] + added[i % added.length];
            double step = Math.max(sum, 0) + Math.log1p(Math.exp(-Math.abs(sum)));
            steps[i] = (float) Math.min(most, Math.max(least, step));
            slopes[i] = step < least || step > most ? 0 : (float) (1 / (1 + Math.exp(-sum)));
        }
        INDArray y = tape.allocateFloat(x.rows(), x.columns());
        Arrays.write(y, 0, steps, 0, steps.length);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            float[] dys = Arrays.toFloats(dy);
            float[] sums = accumulate ? Arrays.toFloats(dx) : new float[dys.length];
            for (int i = 0; i < dys.length; i++) {
                sums[i] += dys[i] * slopes[i];
            }
            Arrays.write(dx, 0, sums, 0, sums.length);
        }), List.of(x));
    }
}
