package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Fills a new tensor with its first values. */
@FunctionalInterface
public interface Initializer {
    /** All elements 0. */
    Initializer ZEROS = (values, random) -> Arrays.clear(values);

    /** All elements 1. */
    Initializer ONES = constant(1);

    /**
     * Writes all elements.
     *
     * @param values FLOAT, c order; undefined before
     * @param random the only source of randomness
     */
    void fill(INDArray values, RandomGenerator random);

    /** What this one gives, changed. */
    default Initializer then(UnaryOperator<float[]> change) {
        return (values, random) -> {
            fill(values, random);
            float[] all = change.apply(Arrays.toFloats(values));
            Arrays.write(values, 0, all, 0, all.length);
        };
    }

    /** One value everywhere. */
    static Initializer constant(double value) {
        return each(random -> value);
    }

    /** Given values, in c order. */
    static Initializer values(float[] all) {
        return (values, random) -> Arrays.write(values, 0, all, 0, all.length);
    }

    /** Draws from the uniform distribution over [-bound, bound). */
    static Initializer uniform(double bound) {
        return each(random -> (2 * random.nextDouble() - 1) * bound);
    }

    /**
     * PyTorch's start of a linear layer: Kaiming's uniform initialization
     * (<a href="https://arxiv.org/abs/1502.01852">1502.01852</a>) with a = sqrt(5), which is
     * {@code uniform(1 / sqrt(inputs))}.
     */
    static Initializer linear(long inputs) {
        return uniform(1 / Math.sqrt(inputs));
    }

    /** Draws from the normal distribution with mean 0. */
    static Initializer normal(double standardDeviation) {
        return each(random -> random.nextGaussian() * standardDeviation);
    }

    /** Copies a weight of the base model. */
    @Internal
    static Initializer copyOf(FrozenWeight weight) {
        return (values, random) -> {
            float[] row = new float[weight.columns()];
            for (int i = 0; i < weight.rows(); i++) {
                weight.readRow(i, row, 0);
                Arrays.write(values, (long) i * row.length, row, 0, row.length);
            }
        };
    }

    /** Copies the weight of a layer of the base model. */
    static Initializer copyOf(WeightedLayer layer) {
        return layer.matrix().map(Initializer::copyOf).orElseGet(() -> copyOf(layer.vector().orElseThrow()));
    }

    /** Copies an array of the base model. */
    static Initializer copyOf(INDArray array) {
        return (values, random) -> Arrays.write(values, 0, Arrays.toFloats(array), 0, (int) array.length());
    }

    private static Initializer each(ToDoubleFunction<RandomGenerator> draw) {
        return (values, random) -> {
            float[] drawn = new float[Math.toIntExact(Math.min(values.length(), 1 << 14))];
            for (long done = 0; done < values.length(); done += drawn.length) {
                int n = (int) Math.min(drawn.length, values.length() - done);
                for (int i = 0; i < n; i++) {
                    drawn[i] = (float) draw.applyAsDouble(random);
                }
                Arrays.write(values, done, drawn, 0, n);
            }
        };
    }
}
