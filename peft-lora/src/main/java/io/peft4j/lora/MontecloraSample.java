package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What one draw makes of s [r] and p [K] of a layer, and the way back; {@link Monteclora} has the formulas. */
final class MontecloraSample {
    private static final double LEAST_VARIANCE = 1e-3;
    private static final double LEAST = 1e-6;

    private final Draw draw;
    private final double[] variances;
    /** {@code d ln v / ds}: 2, or 0 where v is at its least value. */
    private final double[] slopes;
    private final double[] weights;
    /** {@code 1 / a}. */
    private final double[] inverses;
    /** {@code d (sqrt(D) d) / dD}. */
    private final double[] ofD;

    /** Random numbers: the K matrices Z, z [r] and d [K]. */
    record Draw(float[][] matrices, double[] squares, double[] normals) {
        /** By a seed; the same z and d with every {@code in}. */
        static Draw of(long seed, int samples, int rank, int in) {
            SplittableRandom random = new SplittableRandom(seed);
            double[] squares = DoubleStream.generate(() -> IntStream.range(0, rank)
                    .mapToDouble(i -> random.nextGaussian()).map(value -> value * value).sum()).limit(rank).toArray();
            double[] normals = DoubleStream.generate(random::nextGaussian).limit(samples).toArray();
            List<SplittableRandom> own = Stream.generate(random::split).limit(samples).toList();
            float[][] matrices = new float[samples][rank * in];
            IntStream.range(0, samples).parallel().forEach(n -> {
                for (int i = 0; i < rank * in; i++) {
                    matrices[n][i] = (float) own.get(n).nextGaussian();
                }
            });
            return new Draw(matrices, squares, normals);
        }
    }

    MontecloraSample(float[] std, float[] prior, Draw draw) {
        int samples = prior.length;
        this.draw = draw;
        this.variances = new double[std.length];
        this.slopes = new double[std.length];
        for (int o = 0; o < std.length; o++) {
            double variance = Math.exp(2.0 * std[o]) * draw.squares()[o];
            variances[o] = Math.max(variance, LEAST_VARIANCE);
            slopes[o] = variance < LEAST_VARIANCE ? 0 : 2;
        }
        this.inverses = DoubleStream.of(Arrays.doubles(prior)).map(p -> 1 / Math.max(Math.exp(p), LEAST)).toArray();
        this.ofD = new double[samples];
        double mean = DoubleStream.of(inverses).sum() / samples / samples;
        double[] exponentials = new double[samples];
        for (int n = 0; n < samples; n++) {
            double own = inverses[n] * (1 - 2.0 / samples) + mean;
            double root = Math.sqrt(Math.max(own, LEAST) + LEAST);
            ofD[n] = own < LEAST ? 0 : draw.normals()[n] / (2 * root);
            exponentials[n] = Math.exp(root * draw.normals()[n]) / inverses[n];
        }
        double sum = DoubleStream.of(exponentials).sum();
        this.weights = DoubleStream.of(exponentials).map(value -> value / sum).toArray();
    }

    /** v [r]. */
    double[] variances() {
        return variances;
    }

    /** w [K]. */
    double[] weights() {
        return weights;
    }

    /** {@code d ln v / ds} [r]. */
    double[] slopes() {
        return slopes;
    }

    /** {@code c sqrt(v) * (sum of w_n Z_n)} [r, in]. */
    float[] noise(double scale) {
        float[] noise = new float[draw.matrices()[0].length];
        int in = noise.length / variances.length;
        for (int i = 0; i < noise.length; i++) {
            double sum = 0;
            for (int n = 0; n < weights.length; n++) {
                sum += weights[n] * draw.matrices()[n][i];
            }
            noise[i] = (float) (scale * Math.sqrt(variances[i / in]) * sum);
        }
        return noise;
    }

    /** The gradient of s for that of the noise. */
    double[] toStd(float[] noise, float[] gradient) {
        double[] result = new double[variances.length];
        for (int i = 0; i < noise.length; i++) {
            int o = i / (noise.length / result.length);
            result[o] += 0.5 * slopes[o] * noise[i] * gradient[i];
        }
        return result;
    }

    /** The gradient of w for that of the noise. */
    double[] toWeights(float[] gradient, double scale) {
        int in = draw.matrices()[0].length / variances.length;
        return IntStream.range(0, weights.length).parallel().mapToDouble(n -> {
            double sum = 0;
            for (int i = 0; i < draw.matrices()[n].length; i++) {
                sum += Math.sqrt(variances[i / in]) * draw.matrices()[n][i] * gradient[i];
            }
            return scale * sum;
        }).toArray();
    }

    /** The gradient of p for that of w. */
    double[] toPrior(double[] gradient) {
        int samples = weights.length;
        double mean = IntStream.range(0, samples).mapToDouble(n -> weights[n] * gradient[n]).sum();
        double[] ofLogits = IntStream.range(0, samples).mapToDouble(n -> weights[n] * (gradient[n] - mean)).toArray();
        double all = IntStream.range(0, samples).mapToDouble(n -> ofLogits[n] * ofD[n]).sum() / samples / samples;
        return IntStream.range(0, samples).mapToDouble(n -> inverses[n] == 1 / LEAST ? 0
                : ofLogits[n] - inverses[n] * ((1 - 2.0 / samples) * ofLogits[n] * ofD[n] + all)).toArray();
    }
}
