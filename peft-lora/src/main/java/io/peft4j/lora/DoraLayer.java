package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.lora.init.LoraStart;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DoRA on a linear layer (<a href="https://arxiv.org/abs/2402.09353">2402.09353</a>): LoRA changes the direction of
 * each row of the weight, a magnitude m its length. {@code y = g * (x W^T + s * (x A^T) B^T) + bias},
 * {@code g = m / |W + s B A|} row by row: x [N, in], y [N, out], A [r, in], B [out, r], m [out].
 * {@code r * (in + out) + out} parameters. The norm is a constant for the gradients.
 *
 * <p>With dropout, as in Hugging Face PEFT, {@code y = base(x) + (g - 1) * d W^T + g * s * (d A^T) B^T},
 * {@code d = dropout(x)}: a second product with the frozen weight.
 *
 * <p>Merged: {@code g * (W + s B A)}.
 */
final class DoraLayer extends AbstractAdapterLayer {
    private final Engine engine;
    private final float dropout;
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final DoraMagnitude magnitude;
    /** The bias that the base layer runs with where the adapter trains it. */
    private Optional<AdapterTensor> trainedBias = Optional.empty();

    /**
     * Made at a place.
     *
     * @param together first values that belong together; empty if each is drawn on its own
     */
    DoraLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling,
            Optional<LoraStart> together) {
        super(slot);
        Linear linear = linear();
        this.engine = setup.base().engine();
        this.dropout = (float) config.dropout();
        this.scaling = scaling;
        this.a = setup.tensor(slot, "lora_A.weight", together.map(values -> Initializer.values(values.a()))
                .orElseGet(() -> config.initialization().a(rank, linear.inFeatures())), rank, linear.inFeatures());
        this.b = setup.tensor(slot, "lora_B.weight", together.map(values -> Initializer.values(values.b()))
                .orElseGet(() -> config.initialization().b(rank)), linear.outFeatures(), rank);
        this.magnitude = new DoraMagnitude(setup, slot, DoraNorm.ofLinear(linear.weight(), scaling), a, b,
                linear.outFeatures());
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        float[] norms = magnitude.norms(tape);
        Variable y = base.forward(context, x);
        if (context.isTraining() && dropout > 0) {
            return withDropout(tape, y, dropout(context, x, dropout), norms);
        }
        Variable adapted = ScaleOps.columns(tape, addChange(tape, y, x), magnitude.factor(tape, norms, 0));
        Optional<Variable> bias = bias(tape);
        if (bias.isEmpty()) {
            return adapted;
        }
        // The bias went into y and was scaled with it: g * bias + (1 - g) * bias.
        Variable rest = ElementwiseOps.multiply(tape, magnitude.factor(tape, norms, 1), bias.get());
        return MatrixOps.addBias(tape, adapted, ElementwiseOps.scale(tape, rest, -1));
    }

    private Optional<Variable> bias(Tape tape) {
        return trainedBias.map(tensor -> tape.parameter(tensor.parameter()))
                .or(() -> linear().bias().map(tape::constant));
    }

    @Override
    public void useBias(AdapterTensor bias) {
        trainedBias = Optional.of(bias);
    }

    private Variable withDropout(Tape tape, Variable y, Variable x, float[] norms) {
        Variable frozen = MatrixOps.linear(tape, x, linear().weight());
        Variable change = ScaleOps.columns(tape, frozen, magnitude.factor(tape, norms, 1));
        Variable low = MatrixOps.product(tape, MatrixOps.product(tape, x, false, tape.parameter(a.parameter()), true),
                false, tape.parameter(b.parameter()), true);
        Variable scaled = ScaleOps.columns(tape, ElementwiseOps.scale(tape, low, (float) scaling),
                magnitude.factor(tape, norms, 0));
        return ElementwiseOps.addInto(tape, scaled, ElementwiseOps.addInto(tape, change, y));
    }

    private Variable addChange(Tape tape, Variable y, Variable x) {
        return MatrixOps.addLowRank(tape, y, x, tape.parameter(a.parameter()), tape.parameter(b.parameter()),
                (float) scaling);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b, magnitude.tensor());
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        LowRank.add(copy.weight(), b.parameter().value(), a.parameter().value(), scaling);
        INDArray factors = Arrays.of(magnitude.factors(engine), copy.weight().size(0));
        try {
            engine.run(kernels -> kernels.scaleRows(copy.weight(), factors, copy.weight(), false));
        } finally {
            factors.close();
        }
    }
}
