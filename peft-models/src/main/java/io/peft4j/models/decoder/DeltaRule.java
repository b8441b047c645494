package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.SequenceOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ScanShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SequenceMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Linear attention by the gated delta rule (<a href="https://arxiv.org/abs/2412.06464">2412.06464</a>): queries, keys
 * and values come through a short convolution; queries and keys are made as long as 1; the decay is
 * {@code -exp(A) softplus(a(x) + bias)}, the rate {@code sigmoid(b(x))}; what the scan gives is normalized by head and
 * gated by {@code silu(z(x))}. x and result [N, H]. It remembers the last K - 1 inputs of the convolution and the state
 * of the scan.
 */
final class DeltaRule implements LayerCopy.Part {
    private static final double EPSILON = 1e-6;

    private final int layer;
    private final DeltaRulePlan plan;
    private final Parts parts;
    private final INDArray decays;
    private final INDArray queryLength;
    private final INDArray keyLength;

    record Parts(Slot mixed, Slot gate, Slot rate, Slot step, Slot convolution, Slot decay, Slot stepBias, Slot norm,
            Slot out) {
        Parts copy(LayerCopy copy) {
            return new Parts(copy.of(mixed), copy.of(gate), copy.of(rate), copy.of(step), copy.of(convolution),
                    copy.of(decay), copy.of(stepBias), copy.of(norm), copy.of(out));
        }
    }

    DeltaRule(int layer, DeltaRulePlan plan, Parts parts) {
        this.layer = layer;
        this.plan = plan;
        this.parts = parts;
        this.decays = decays(FrozenVector.at(parts.decay()));
        int size = plan.shape().keySize();
        // A query is divided by the root of its size besides.
        this.queryLength = filled(size, 1.0 / size);
        this.keyLength = filled(size, 1 / Math.sqrt(size));
    }

    /** {@code -exp(A)}. */
    static INDArray decays(INDArray logarithms) {
        float[] values = Arrays.toFloats(logarithms);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) -Math.exp(values[i]);
        }
        return Arrays.of(values, values.length);
    }

    private static INDArray filled(int length, double value) {
        float[] values = new float[length];
        java.util.Arrays.fill(values, (float) value);
        return Arrays.of(values, length);
    }

    static Slot place(int index, String path, DeltaRulePlan rule, int hidden, ModulePlaces places) {
        int values = rule.shape().valueColumns();
        int heads = rule.shape().valueHeads();
        return places.containing(path, () -> new DeltaRule(index, rule, new DeltaRule.Parts(
                places.linear(path + ".in_proj_qkv", rule.columns(), hidden, false),
                places.linear(path + ".in_proj_z", values, hidden, false),
                places.linear(path + ".in_proj_b", heads, hidden, false),
                places.linear(path + ".in_proj_a", heads, hidden, false),
                places.convolution(path + ".conv1d", rule.columns(), rule.taps(), false),
                places.vectorAt(path + ".A_log", heads), places.vectorAt(path + ".dt_bias", heads),
                places.plainNorm(path + ".norm", rule.shape().valueSize()),
                places.linear(path + ".out_proj", hidden, values, false))));
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new DeltaRule(copy.index(), plan, parts.copy(copy));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        ScanShape shape = plan.shape();
        SequenceMemory memory = SequenceMemory.of(context, layer, 2);
        Variable mixed = ElementwiseOps.activate(tape, Activation.SILU, ((DepthwiseConvolution) parts.convolution()
                .layer()).run(context, parts.mixed().forward(context, x), memory.order(), memory.states().get(0)));
        int keys = shape.keyColumns();
        SequenceOps.ScanVariables inputs = new SequenceOps.ScanVariables(
                lengthened(tape, ColumnOps.slice(tape, mixed, 0, keys), queryLength),
                lengthened(tape, ColumnOps.slice(tape, mixed, keys, 2 * keys), keyLength),
                ColumnOps.slice(tape, mixed, 2 * keys, plan.columns()),
                ScaleOps.columns(tape, SequenceOps.steps(tape, parts.step().forward(context, x),
                        FrozenVector.at(parts.stepBias()), 0, Double.POSITIVE_INFINITY), tape.constant(decays)),
                Optional.of(ElementwiseOps.activate(tape, Activation.SIGMOID,
                        ElementwiseOps.inFloat(tape, parts.rate().forward(context, x)))));
        Variable scanned = SequenceOps.scan(tape, shape, inputs, memory.order(), memory.states().get(1));
        return parts.out().forward(context, ElementwiseOps.gated(tape, Activation.SILU,
                parts.gate().forward(context, x), parts.norm().forward(context, scanned)));
    }

    /** Each head divided by its length, times that of the weights. */
    private Variable lengthened(Tape tape, Variable x, INDArray weight) {
        return NormOps.rmsNorm(tape, x, tape.constant(weight), (float) (EPSILON / plan.shape().keySize()));
    }
}
