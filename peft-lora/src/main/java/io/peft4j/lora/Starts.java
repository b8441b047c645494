package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.Initializer;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** First values that several methods need. */
final class Starts {
    private Starts() {
    }

    /** Given values, in c order. */
    static Initializer values(float[] all) {
        return (values, random) -> Arrays.write(values, 0, all, 0, all.length);
    }

    /** One value everywhere. */
    static Initializer constant(double value) {
        return (values, random) -> {
            float[] all = new float[Math.toIntExact(values.length())];
            java.util.Arrays.fill(all, (float) value);
            Arrays.write(values, 0, all, 0, all.length);
        };
    }

    /** Kaiming's uniform initialization for {@code inputs} inputs: between {@code -sqrt(6 / inputs)} and that. */
    static Initializer kaiming(long inputs) {
        return Initializer.uniform(Math.sqrt(6.0 / inputs));
    }

    /** What another start gives, divided by its standard deviation. */
    static Initializer standardized(Initializer start) {
        return (values, random) -> {
            start.fill(values, random);
            divideByDeviation(values);
        };
    }

    /** -1, 0 and 1, each sign with probability {@code 1 / (2 * sparsity)}, divided by the standard deviation. */
    static Initializer sparse(double sparsity) {
        return (values, random) -> {
            float[] all = new float[Math.toIntExact(values.length())];
            for (int i = 0; i < all.length; i++) {
                all[i] = sign(random, 1 / (2 * sparsity));
            }
            // A small matrix may have come out as zeros; what has no deviation would carry no signal.
            all[0] = all[0] == 0 ? 1 : all[0];
            Arrays.write(values, 0, all, 0, all.length);
            divideByDeviation(values);
        };
    }

    private static float sign(RandomGenerator random, double probability) {
        double u = random.nextDouble();
        return u < probability ? -1 : u > 1 - probability ? 1 : 0;
    }

    private static void divideByDeviation(INDArray values) {
        float[] all = Arrays.toFloats(values);
        double mean = 0;
        for (float value : all) {
            mean += value;
        }
        mean /= all.length;
        double squares = 0;
        for (float value : all) {
            squares += (value - mean) * (value - mean);
        }
        double deviation = Math.sqrt(squares / Math.max(1, all.length - 1));
        for (int i = 0; i < all.length && deviation > 0; i++) {
            all[i] = (float) (all[i] / deviation);
        }
        Arrays.write(values, 0, all, 0, all.length);
    }
}
