package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ScaleOps;
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
import java.util.List;

/**
 * IA3 on a linear layer (<a href="https://arxiv.org/abs/2205.05638">2205.05638</a>): {@code y = base(x) * l}, l [out,
 * 1], or in a feed-forward layer {@code y = base(x * l)}, l [1, in]. {@code out} or {@code in} parameters.
 *
 * <p>Merged: {@code W[i, j] * l[i]} and {@code b[i] * l[i]}, or {@code W[i, j] * l[j]}.
 */
final class Ia3Layer extends AbstractAdapterLayer {
    private final boolean feedforward;
    private final AdapterTensor l;

    Ia3Layer(AdapterSetup setup, Slot slot, boolean feedforward, boolean initWeights) {
        super(slot);
        Linear linear = linear();
        Initializer start = initWeights ? Initializer.ONES : Initializer.normal(1);
        this.feedforward = feedforward;
        this.l = feedforward ? setup.tensor(slot, "ia3_l", start, 1, linear.inFeatures())
                : setup.tensor(slot, "ia3_l", start, linear.outFeatures(), 1);
    }

    /** Whether l scales the input of the base layer and not its output. */
    public boolean scalesInput() {
        return feedforward;
    }

    /** The values of l. */
    public float[] values() {
        return Arrays.toFloats(l.parameter().value());
    }

    /** Overwrites l. */
    public void set(double[] values) {
        Arrays.write(l.parameter().value(), 0, Arrays.floats(values), 0, values.length);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable factors = context.tape().parameter(l.parameter());
        return feedforward ? base.forward(context, ScaleOps.columns(context.tape(), x, factors))
                : ScaleOps.columns(context.tape(), base.forward(context, x), factors);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(l);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        float[] factors = Arrays.toFloats(l.parameter().value());
        float[] weight = Arrays.toFloats(copy.weight());
        int columns = Arrays.columns(copy.weight());
        for (int i = 0; i < weight.length; i++) {
            weight[i] *= factors[feedforward ? i % columns : i / columns];
        }
        Arrays.write(copy.weight(), 0, weight, 0, weight.length);
        copy.bias().filter(b -> !feedforward).ifPresent(b -> {
            float[] bias = Arrays.toFloats(b);
            for (int i = 0; i < bias.length; i++) {
                bias[i] *= factors[i];
            }
            Arrays.write(b, 0, bias, 0, bias.length);
        });
    }
}
