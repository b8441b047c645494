package io.peft4j.models.encoder;

import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.LayerNorm;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.Places;
import io.peft4j.models.architecture.WeightLoader;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The places of an encoder. A checkpoint was saved with or without a head, so that its tensors have the network's
 * prefix or not, whatever it is loaded for now.
 */
final class EncoderPlaces extends Places {
    private final EncoderPlan.Norm norms;
    private final SplittableRandom random;
    private final Set<String> fresh = new LinkedHashSet<>();

    /**
     * What tensors are called.
     *
     * @param prefix the prefix of the names of the network's tensors in a checkpoint with a head, with a dot
     * @param own the prefix of the names of its places
     * @param checkpointName what some checkpoints call a tensor
     */
    record Naming(String prefix, String own, UnaryOperator<String> checkpointName) {
        /** What a tensor of the network may be called. */
        List<String> candidates(String name) {
            String bare = name.startsWith(own) ? name.substring(own.length())
                    : name.startsWith(prefix) ? name.substring(prefix.length()) : name;
            return Stream.of(name, prefix + bare, bare)
                    .flatMap(candidate -> Stream.of(candidate, checkpointName.apply(candidate))).distinct().toList();
        }
    }

    /**
     * Places.
     *
     * @param seed seed of the values of what the checkpoint lacks
     */
    EncoderPlaces(WeightLoader weights, Naming naming, EncoderPlan.Norm norms, long seed) {
        super(weights, name -> stored(weights, naming, name));
        this.norms = norms;
        this.random = new SplittableRandom(seed);
    }

    /** The paths of the layers that the checkpoint lacked. */
    List<String> fresh() {
        return List.copyOf(fresh);
    }

    /** The name in the checkpoint of the tensor that this network calls {@code name}. */
    private static String stored(WeightLoader weights, Naming naming, String name) {
        for (String candidate : naming.candidates(name)) {
            // Checkpoints that come from TensorFlow call the parameters of a norm so.
            String old = candidate.endsWith("Norm.weight") ? candidate.replaceAll("weight$", "gamma")
                    : candidate.endsWith("Norm.bias") ? candidate.replaceAll("bias$", "beta") : candidate;
            for (String spelled : List.of(candidate, old)) {
                if (weights.has(spelled)) {
                    return spelled;
                }
            }
        }
        return name;
    }

    /**
     * A linear layer without a bias, whose weight the checkpoint holds with others of the same size.
     *
     * @param together the path of all
     * @param index its place among three
     */
    Slot part(String path, String together, int index, int out, int in) {
        count((long) out * in);
        return place(path, new Linear(weights.part(stored(together + ".weight"), 3 * out, index * out, out, in),
                Optional.empty()));
    }

    /** A linear layer of a head, which is initialized where the checkpoint has none of that shape. */
    Slot headLinear(String path, int out, int in, boolean bias, double deviation) {
        String name = stored(path + ".weight");
        if (weights.has(name, out, in)) {
            return place(path, new Linear(matrix(path, out, in), vector(path + ".bias", out, bias)));
        }
        count((long) out * in + (bias ? out : 0));
        fresh.add(path);
        return place(path, new Linear(weights.normal(out, in, deviation, random),
                bias ? Optional.of(weights.constant(out, 0)) : Optional.empty()));
    }

    Slot norm(String path, int size) {
        if (norms.rms()) {
            return place(path, new RmsNorm(vector(path + ".weight", size), norms.epsilon()));
        }
        return norm(path, size, norms);
    }

    Slot norm(String path, int size, EncoderPlan.Norm like) {
        return place(path, new LayerNorm(vector(path + ".weight", size), vector(path + ".bias", size, like.bias()),
                like.epsilon()));
    }

    /** A norm of a head, which is initialized where the checkpoint has none. */
    Slot headNorm(String path, int size) {
        return headNorm(path, size, norms);
    }

    Slot headNorm(String path, int size, EncoderPlan.Norm like) {
        if (has(path)) {
            return norm(path, size, like);
        }
        count(like.bias() ? 2L * size : size);
        fresh.add(path);
        return place(path, new LayerNorm(weights.constant(size, 1),
                like.bias() ? Optional.of(weights.constant(size, 0)) : Optional.empty(), like.epsilon()));
    }

    /** The matrix of queries, keys and values of PyTorch's attention, whose names are not a layer's there. */
    Slot packedAttention(String path, int hidden) {
        count(3L * hidden * (hidden + 1));
        String stored = path + (weights.has(path + ".in_proj.weight") ? ".in_proj." : ".in_proj_");
        return place(path + ".in_proj", new Linear(weights.linear(stored + "weight", 3 * hidden, hidden),
                weights.vector(stored + "bias", 3 * hidden, true)));
    }

    /** A table of a head, which is initialized where the checkpoint has none. */
    Slot headTable(String path, int rows, int columns, double deviation, Function<PackedBatch, int[]> ids) {
        if (has(path)) {
            return table(path, rows, columns, OptionalInt.empty(), ids);
        }
        count((long) rows * columns);
        fresh.add(path);
        return place(path, new Embedding(weights.normal(rows, columns, deviation, random), OptionalInt.empty(), ids));
    }

    Slot table(String path, int rows, int columns, OptionalInt padding, Function<PackedBatch, int[]> ids) {
        return place(path, new Embedding(matrix(path, rows, columns), padding, ids));
    }
}
