package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdaLoRA on a linear layer (<a href="https://arxiv.org/abs/2303.10512">2303.10512</a>):
 * {@code y = base(x) + s * (dropout(x) (E A)^T) B^T}, {@code s = alpha / (init_r + 1e-5)}: x [N, in], y [N, out],
 * A [r, in], E [r, 1] scales its rows, B [out, r]. {@code r * (in + out + 1)} parameters.
 *
 * <p>Merged: {@code W + s * B diag(E) A}.
 */
final class AdaLoraLayer extends AbstractAdapterLayer {
    private final float dropout;
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final AdapterTensor e;

    AdaLoraLayer(AdapterSetup setup, Slot slot, AdaLoraConfig config, int rank) {
        super(slot);
        Linear linear = linear();
        boolean identity = !config.lora().initialization().equals(LoraInit.RANDOM);
        Initializer vectors = Initializer.normal(identity ? 0.02 : 1);
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
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = dropout(context, x, dropout);
        Variable scaled = ScaleOps.rows(tape, tape.parameter(a.parameter()), tape.parameter(e.parameter()));
        return MatrixOps.addLowRank(tape, y, input, scaled, tape.parameter(b.parameter()), (float) scaling);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b, e);
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
