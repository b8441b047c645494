package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.Initializer;
import io.peft4j.core.peft.MergedLayer;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdaLoRA on a linear layer (<a href="https://arxiv.org/abs/2303.10512">2303.10512</a>):
 * {@code y = base(x) + s * (dropout(x) (E A)^T) B^T}, {@code s = alpha / (init_r + 1e-5)}: x [N, in], y [N, out],
 * A [r, in], E [r, 1] scales its rows, B [out, r]. {@code r * (in + out + 1)} parameters.
 *
 * <p>Merged: {@code W + s * B diag(E) A}.
 */
final class AdaLoraLayer implements AdapterLayer {
    private final Slot slot;
    private final float dropout;
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final AdapterTensor e;

    AdaLoraLayer(AdapterSetup setup, Slot slot, AdaLoraConfig config, int rank) {
        Linear linear = (Linear) slot.layer();
        boolean identity = config.lora().initialization() != Initialization.RANDOM;
        Initializer vectors = Initializer.normal(identity ? 0.02 : 1);
        this.slot = slot;
        this.dropout = (float) config.lora().dropout();
        this.scaling = config.lora().alpha() / (config.initialRank() + 1e-5);
        this.a = setup.tensor(slot, "lora_A", vectors, rank, linear.inFeatures());
        this.b = setup.tensor(slot, "lora_B", vectors, linear.outFeatures(), rank);
        this.e = setup.tensor(slot, "lora_E", identity ? Initializer.ZEROS : Initializer.normal(1), rank, 1);
    }

    AdapterTensor a() {
        return a;
    }

    AdapterTensor b() {
        return b;
    }

    AdapterTensor e() {
        return e;
    }

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = context.isTraining() && dropout > 0
                ? ElementwiseOps.dropout(tape, x, dropout, context.nextDropoutSeed()) : x;
        Variable scaled = ScaleOps.rows(tape, tape.parameter(a.parameter()), tape.parameter(e.parameter()));
        return MatrixOps.addLowRank(tape, y, input, scaled, tape.parameter(b.parameter()), (float) scaling);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b, e);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        float[] rows = Arrays.toFloats(a.parameter().value());
        float[] factors = Arrays.toFloats(e.parameter().value());
        int columns = rows.length / factors.length;
        for (int i = 0; i < rows.length; i++) {
            rows[i] *= factors[i / columns];
        }
        INDArray scaled = Arrays.of(rows, factors.length, columns);
        try {
            LowRank.add(copy.weight(), b.parameter().value(), scaled, scaling);
        } finally {
            scaled.close();
        }
    }
}
