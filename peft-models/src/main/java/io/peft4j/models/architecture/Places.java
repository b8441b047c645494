package io.peft4j.models.architecture;

import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Makes the places of a network from the tensors of a checkpoint, and counts its parameters. */
public class Places {
    /** The checkpoint. */
    protected final WeightLoader weights;
    private final UnaryOperator<String> stored;
    private final List<Slot> slots = new ArrayList<>();
    private long parameters;

    /**
     * Places of a network.
     *
     * @param stored what the checkpoint calls a tensor of the network
     */
    public Places(WeightLoader weights, UnaryOperator<String> stored) {
        this.weights = weights;
        this.stored = stored;
    }

    /** All places so far, each before those that it contains. */
    public final List<Slot> all() {
        return slots;
    }

    /** The number of parameters so far. */
    public final long parameters() {
        return parameters;
    }

    /** Counts parameters that were made elsewhere. */
    protected final void count(long more) {
        parameters += more;
    }

    /** What the checkpoint calls a tensor. */
    protected final String stored(String name) {
        return stored.apply(name);
    }

    /** Whether the checkpoint has a weight of a place. */
    public final boolean has(String path) {
        return weights.has(stored(path + ".weight"));
    }

    /** A linear layer [out, in]. */
    public Slot linear(String path, int out, int in, boolean bias) {
        count((long) out * in);
        return place(path, new Linear(weights.linear(stored(path + ".weight"), out, in),
                vector(path + ".bias", out, bias)));
    }

    /** A vector, always as floats. */
    public final INDArray vector(String name, int size) {
        count(size);
        return weights.vector(stored(name), size);
    }

    /** A vector, or empty where it is not {@code wanted}. */
    protected final Optional<INDArray> vector(String name, int size, boolean wanted) {
        return wanted ? Optional.of(vector(name, size)) : Optional.empty();
    }

    /** A matrix of an embedding or of the output layer. */
    public final FrozenWeight matrix(String path, int rows, int columns) {
        count((long) rows * columns);
        return weights.matrix(stored(path + ".weight"), rows, columns);
    }

    /** A small matrix as floats, whose values are there at once. */
    public final FrozenWeight floats(String path, int rows, int columns) {
        count((long) rows * columns);
        return weights.floats(stored(path + ".weight"), rows, columns);
    }

    /** A place that contains those that {@code inside} makes: it precedes them in the list. */
    public final Slot containing(String path, Supplier<? extends Layer> inside) {
        int at = slots.size();
        Slot slot = new Slot(path, inside.get());
        slots.add(at, slot);
        return slot;
    }

    /** A place with nothing inside. */
    public final Slot place(String path, Layer layer) {
        Slot slot = new Slot(path, layer);
        slots.add(slot);
        return slot;
    }
}
