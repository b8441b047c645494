package io.peft4j.models.decoder;

import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Makes the places of a network from the tensors of a checkpoint, and counts its parameters. */
final class Places {
    private final WeightLoader weights;
    private final NormPlan norms;
    private final List<Slot> slots = new ArrayList<>();
    private long parameters;

    Places(WeightLoader weights, NormPlan norms) {
        this.weights = weights;
        this.norms = norms;
    }

    /** All places so far, each before those that it contains. */
    List<Slot> all() {
        return slots;
    }

    /** The number of parameters so far. */
    long parameters() {
        return parameters;
    }

    /** A linear layer [out, in]. */
    Slot linear(String path, int out, int in, boolean bias) {
        parameters += (long) out * in + (bias ? out : 0);
        return place(path, new Linear(weights.linear(path + ".weight", out, in),
                weights.vector(path + ".bias", out, bias)));
    }

    /** A norm of the network's kind over {@code size} elements. */
    Slot norm(String path, int size) {
        parameters += size;
        return place(path, new RmsNorm(weights.vector(path + ".weight", size), norms.epsilon()));
    }

    /** A matrix of the embedding or of the output layer. */
    FrozenWeight matrix(String path, int rows, int columns) {
        parameters += (long) rows * columns;
        return weights.matrix(path + ".weight", rows, columns);
    }

    /** A place that contains those that {@code inside} makes: it stands before them in the list. */
    Slot containing(String path, Supplier<Layer> inside) {
        int at = slots.size();
        Slot slot = new Slot(path, inside.get());
        slots.add(at, slot);
        return slot;
    }

    /** A place with nothing inside. */
    Slot place(String path, Layer layer) {
        Slot slot = new Slot(path, layer);
        slots.add(slot);
        return slot;
    }
}
