package io.peft4j.models.architecture;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.weight.TensorStore;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Makes the vectors of texts out of hidden states: pooling, dense layers, which nothing trains, and length 1. */
public final class SentenceVectors {
    private final SentencePooling pooling;
    private final List<Layer> layers;

    private record Layer(Linear linear, Optional<Activation> activation) {
    }

    private SentenceVectors(SentencePooling pooling, List<Layer> layers) {
        this.pooling = pooling;
        this.layers = layers;
    }

    /**
     * What a folder says, with the weights of its dense layers.
     *
     * @param weights owns what is read
     * @throws FileFormatException when a dense layer's file is damaged or not what its configuration says
     */
    public static SentenceVectors of(SentencePooling pooling, WeightLoader weights) {
        return new SentenceVectors(pooling, pooling.dense().stream().map(dense -> layer(dense, weights)).toList());
    }

    private static Layer layer(SentencePooling.Dense dense, WeightLoader weights) {
        try (TensorStore store = Safetensors.open(dense.folder())) {
            Optional<float[]> bias = dense.bias() ? Optional.of(values(store, "linear.bias", dense.out()))
                    : Optional.empty();
            return new Layer(new Linear(weights.given(values(store, "linear.weight", dense.out(), dense.in()),
                    dense.out(), dense.in()), bias.map(weights::given)), dense.activation());
        }
    }

    private static float[] values(TensorStore store, String name, long... shape) {
        if (!Arrays.equals(store.shape(name), shape)) {
            throw new FileFormatException(store.path(), "tensor '" + name + "' has the shape "
                    + Arrays.toString(store.shape(name)) + "; config.json says " + Arrays.toString(shape));
        }
        return store.readFloats(name);
    }

    /** The vectors [B, E] of hidden states [N, H]. */
    public Variable of(ForwardContext context, Variable hidden) {
        Variable x = null;
        for (SentencePooling.Mode mode : pooling.modes()) {
            Variable part = Pooler.pooled(context.tape(), context.batch(), hidden, mode);
            x = x == null ? part : ColumnOps.concat(context.tape(), x, part);
        }
        ForwardContext rows = context.onRows(Pooler.firstRows(context.batch()));
        for (Layer layer : layers) {
            Variable y = layer.linear().forward(rows, x);
            x = layer.activation().map(f -> ElementwiseOps.activate(context.tape(), f, y)).orElse(y);
        }
        return pooling.normalize() ? Pooler.normalized(context.tape(), x) : x;
    }
}
