package io.peft4j.core.peft.file;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.method.TaskHeads;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A few values of a weight of the base model. A hash would differ between a model in f32 and the same model in bf16 or
 * in blocks; samples can be compared with the rounding that each brings.
 *
 * @param name the weight's name in a checkpoint
 * @param shape its dimensions
 * @param values some of its values
 */
@Internal(shared = true)
public record WeightSample(String name, List<Integer> shape, List<Float> values) {
    /** Rows and columns that values are taken from. */
    private static final int SIDE = 6;

    /** Copies the lists. */
    public WeightSample {
        shape = List.copyOf(shape);
        values = List.copyOf(values);
    }

    /**
     * Samples of the embedding, the first, middle and last linear layer, the last norm and the output layer. The head
     * of a task is none of the base's: every adapter brings its own.
     */
    static List<WeightSample> of(Network network) {
        Set<Slot> heads = TaskHeads.places(network);
        List<Slot> body = network.slots().stream().filter(slot -> !heads.contains(slot)).toList();
        List<Slot> linear = body.stream()
                .filter(slot -> slot.layer() instanceof Linear && network.output().filter(slot::equals).isEmpty())
                .toList();
        List<Slot> chosen = new ArrayList<>();
        chosen.add(network.embedding());
        if (!linear.isEmpty()) {
            chosen.addAll(List.of(linear.get(0), linear.get(linear.size() / 2), linear.get(linear.size() - 1)));
        }
        body.stream().filter(slot -> slot.layer() instanceof WeightedLayer layer
                && layer.vector().isPresent()).reduce((a, b) -> b)
                .ifPresent(chosen::add);
        network.output().filter(body::contains).ifPresent(chosen::add);
        return chosen.stream().distinct().flatMap(slot -> of(slot).stream()).toList();
    }

    /** A sample of the weight at a place. */
    static Optional<WeightSample> of(Slot slot) {
        String name = slot.path() + ".weight";
        if (!(slot.layer() instanceof WeightedLayer layer)) {
            return Optional.empty();
        }
        if (layer.vector().isPresent()) {
            float[] all = Arrays.toFloats(layer.vector().get());
            List<Float> values = new ArrayList<>();
            for (int i = 0; i < SIDE; i++) {
                values.add(all[at(i, all.length)]);
            }
            return Optional.of(new WeightSample(name, List.of(all.length), values));
        }
        return layer.matrix().map(weight -> of(name, weight));
    }

    /** The matrix at a place, where it has one. */
    public static Optional<FrozenWeight> weight(Slot slot) {
        return slot.layer() instanceof WeightedLayer layer ? layer.matrix() : Optional.empty();
    }

    private static WeightSample of(String name, FrozenWeight weight) {
        List<Float> values = new ArrayList<>();
        float[] row = new float[weight.columns()];
        for (int i = 0; i < SIDE; i++) {
            weight.readRow(at(i, weight.rows()), row, 0);
            for (int j = 0; j < SIDE; j++) {
                values.add(row[at(j, row.length)]);
            }
        }
        return new WeightSample(name, List.of(weight.rows(), weight.columns()), values);
    }

    private static int at(int i, int length) {
        return (int) ((2L * i + 1) * length / (2 * SIDE));
    }

    /** Size of the difference relative to the size of the values; infinite where the shapes differ. */
    double distance(WeightSample other) {
        if (!shape.equals(other.shape) || values.size() != other.values.size()) {
            return Double.POSITIVE_INFINITY;
        }
        double difference = 0;
        double size = 0;
        for (int i = 0; i < values.size(); i++) {
            difference += Math.pow((double) values.get(i) - other.values.get(i), 2);
            size += (double) values.get(i) * values.get(i);
        }
        return Math.sqrt(difference / Math.max(size, Double.MIN_NORMAL));
    }
}
