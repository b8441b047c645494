package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
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
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.LayerCopy;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Mamba 2 (<a href="https://arxiv.org/abs/2405.21060">2405.21060</a>): of {@code in(x)} the first part is a gate z, the
 * second becomes x', B and C through a short convolution, the third the steps dt. Each head has a state
 * {@code S = exp(-exp(A) dt) S + B (dt x')^T} and gives {@code S^T C + D x'}; that times {@code silu(z)}, normalized
 * where the plan says so, goes through {@code out}. x and result [N, H]. It remembers the last K - 1 inputs of the
 * convolution and the state of the scan.
 */
final class Mamba2 implements LayerCopy.Part {
    private final int layer;
    private final Mamba2Plan plan;
    private final Parts parts;
    private final INDArray decays;
    private final INDArray skips;
    private final FrozenWeight spread;
    private final Optional<INDArray> scales;

    record Parts(Slot in, Slot convolution, Slot decay, Slot skip, Slot stepBias, Optional<Slot> norm,
            Slot out) {
        Parts copy(LayerCopy copy) {
            return new Parts(copy.of(in), copy.of(convolution), copy.of(decay), copy.of(skip), copy.of(stepBias),
                    copy.of(norm), copy.of(out));
        }
    }

    Mamba2(int layer, Mamba2Plan plan, Parts parts) {
        this.layer = layer;
        this.plan = plan;
        this.parts = parts;
        this.decays = DeltaRule.decays(FrozenVector.at(parts.decay()));
        ScanShape shape = plan.shape();
        float[] ofHeads = Arrays.toFloats(FrozenVector.at(parts.skip()));
        float[] ofColumns = new float[shape.valueColumns()];
        for (int i = 0; i < ofColumns.length; i++) {
            ofColumns[i] = ofHeads[i / shape.valueSize()];
        }
        this.skips = Arrays.of(ofColumns, ofColumns.length);
        this.scales = plan.scales().isEmpty() ? Optional.empty()
                : Optional.of(Arrays.of(plan.columnScales(), plan.columnScales().length));
        this.spread = Projections.spread(shape.valueHeads(), shape.valueSize());
    }

    static Slot place(int index, String path, Mamba2Plan mamba, int hidden, ModulePlaces places) {
        int inner = mamba.shape().valueColumns();
        int heads = mamba.shape().valueHeads();
        return places.containing(path, () -> new Mamba2(index, mamba, new Mamba2.Parts(
                places.linear(path + ".in_proj", inner + mamba.columns() + heads, hidden, mamba.bias()),
                places.convolution(path + ".conv1d", mamba.columns(), mamba.taps(), mamba.convolutionBias()),
                places.vectorAt(path + ".A_log", heads), places.vectorAt(path + ".D", heads),
                places.vectorAt(path + ".dt_bias", heads),
                mamba.norm() == Mamba2Plan.Norm.NONE ? Optional.empty()
                        : Optional.of(places.groupedNorm(path + ".norm", inner, mamba.shape().keyHeads())),
                places.linear(path + ".out_proj", hidden, inner, mamba.outputBias()))));
    }

    @Override
    public Layer copy(LayerCopy copy) {
        return new Mamba2(copy.index(), plan, parts.copy(copy));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        ScanShape shape = plan.shape();
        int inner = shape.valueColumns();
        int keys = shape.keyColumns();
        Variable read = tape.wide(() -> parts.in().forward(context, x));
        Variable all = scales.map(factors -> ScaleOps.columns(tape, read, tape.constant(factors))).orElse(read);
        SequenceMemory memory = SequenceMemory.of(context, layer, 2);
        Variable mixed = ElementwiseOps.activate(tape, plan.activation(), ((DepthwiseConvolution) parts.convolution()
                .layer()).run(context, ColumnOps.slice(tape, all, inner, inner + plan.columns()), memory.order(),
                        memory.states().get(0)));
        Variable inputs = ColumnOps.slice(tape, mixed, 0, inner);
        Variable steps = SequenceOps.steps(tape, ColumnOps.slice(tape, all, inner + plan.columns(), all.columns()),
                FrozenVector.at(parts.stepBias()), plan.leastStep(), plan.mostStep());
        Variable scanned = SequenceOps.scan(tape, shape, new SequenceOps.ScanVariables(
                ColumnOps.slice(tape, mixed, inner + keys, inner + 2 * keys),
                ColumnOps.slice(tape, mixed, inner, inner + keys),
                ElementwiseOps.multiply(tape, inputs, MatrixOps.linear(tape, steps, spread)),
                ScaleOps.columns(tape, steps, tape.constant(decays)), Optional.empty()), memory.order(),
                memory.states().get(1));
        Variable skipped = ScaleOps.columns(tape, inputs, tape.constant(skips));
        Variable found = normed(context, Mamba2Plan.Norm.BEFORE_GATE, ElementwiseOps.addInto(tape, scanned, skipped));
        return parts.out().forward(context, normed(context, Mamba2Plan.Norm.BEHIND_GATE, ElementwiseOps.gated(tape,
                Activation.SILU, ColumnOps.slice(tape, all, 0, inner), found)));
    }

    private Variable normed(ForwardContext context, Mamba2Plan.Norm place, Variable x) {
        return plan.norm() == place ? parts.norm().orElseThrow().forward(context, x) : x;
    }
}
