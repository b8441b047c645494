package io.peft4j.lora;

import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.weight.FrozenWeight;
import java.util.random.RandomGenerator;

/**
 * First values of A and B that belong together.
 *
 * @param a [r, in]
 * @param b [out, r]
 * @param partOfBase whether {@code s * b a} is taken out of the base weight, so that the model begins as the base
 * though
 *     it is not zero
 * @param weight [out, in], what takes the place of the base weight; empty where that stays
 */
record LoraStart(float[] a, float[] b, boolean partOfBase, float[] weight) {
    LoraStart(float[] a, float[] b, boolean partOfBase) {
        this(a, b, partOfBase, new float[0]);
    }

    /** Beside another weight than the base's. */
    static LoraStart onWeight(float[] a, float[] b, float[] weight) {
        return new LoraStart(a, b, false, weight);
    }

    /**
     * Computes them; {@code r} must not exceed in and out.
     *
     * @param weight the base weight W [out, in]
     * @param rank r
     * @param scaling s
     */
    @FunctionalInterface
    interface Maker {
        LoraStart make(FrozenWeight weight, int rank, double scaling, RandomGenerator random);
    }

    /** PiSSA: the r largest singular values, {@code b = U sqrt(S / s)}, {@code a = sqrt(S / s) V}. */
    static LoraStart pissa(FrozenWeight weight, int rank, double scaling, RandomGenerator random) {
        requireRank("pissa", weight, rank);
        requirePositive("pissa", scaling);
        SingularValues parts = singularValues("pissa", weight, rank);
        float[] a = new float[rank * weight.columns()];
        float[] b = new float[weight.rows() * rank];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) (parts.vt()[i] * Math.sqrt(parts.s()[i / weight.columns()] / scaling));
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) (parts.u()[i] * Math.sqrt(parts.s()[i % rank] / scaling));
        }
        return new LoraStart(a, b, true);
    }

    private static SingularValues singularValues(String name, FrozenWeight weight, int rank) {
        try {
            return SingularValues.of(Decompositions.values(weight), weight.rows(), weight.columns(), rank);
        } catch (ArithmeticException e) {
            throw new ConfigurationException("init_lora_weights \"" + name + "\" finds no singular values: "
                    + e.getMessage(), e);
        }
    }

    /** OLoRA: of W = Q R the first r columns of Q as b and the first r rows of R = Q^T W as a. */
    static LoraStart olora(FrozenWeight weight, int rank, double scaling, RandomGenerator random) {
        requireRank("olora", weight, rank);
        int m = weight.rows();
        int n = weight.columns();
        double[] w = Decompositions.values(weight);
        double[] q = Decompositions.orthonormal(w, m, n, rank);
        float[] a = new float[rank * n];
        double[] sum = new double[n];
        for (int k = 0; k < rank; k++) {
            java.util.Arrays.fill(sum, 0);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    sum[j] += q[i * rank + k] * w[i * n + j];
                }
            }
            for (int j = 0; j < n; j++) {
                a[k * n + j] = (float) sum[j];
            }
        }
        float[] b = new float[m * rank];
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) q[i];
        }
        return new LoraStart(a, b, true);
    }

    /**
     * Orthogonal: a random orthogonal Q [r, r] gives its even rows to a and its odd ones to b, each multiplied by a
     * random matrix and divided by 10, so that {@code b a = 0} though neither is.
     */
    static LoraStart orthogonal(FrozenWeight weight, int rank, double scaling, RandomGenerator random) {
        if (rank % 2 != 0) {
            throw new ConfigurationException("init_lora_weights \"orthogonal\" needs an even rank, and it is " + rank);
        }
        double[] q = Decompositions.orthonormal(normal(random, rank * rank), rank, rank, rank);
        return new LoraStart(mixed(normal(random, weight.columns() * rank / 2), q, rank, 0, true),
                mixed(normal(random, weight.rows() * rank / 2), q, rank, 1, false), false);
    }

    /** {@code g q' / 10} for g [n, r / 2] and the rows of q from {@code first} on, every second; transposed for a. */
    private static float[] mixed(double[] g, double[] q, int rank, int first, boolean transposed) {
        int half = rank / 2;
        int n = g.length / half;
        float[] result = new float[n * rank];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < rank; k++) {
                double sum = 0;
                for (int l = 0; l < half; l++) {
                    sum += g[i * half + l] * q[(2 * l + first) * rank + k];
                }
                result[transposed ? k * n + i : i * rank + k] = (float) (sum / 10);
            }
        }
        return result;
    }

    /** MiCA: b the left singular vectors of the r smallest singular values, a zero. */
    static LoraStart mica(FrozenWeight weight, int rank, double scaling, RandomGenerator random) {
        requireRank("mica", weight, rank);
        int all = Math.min(weight.rows(), weight.columns());
        SingularValues parts = singularValues("mica", weight, all);
        float[] b = new float[weight.rows() * rank];
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) parts.u()[i / rank * all + all - rank + i % rank];
        }
        return new LoraStart(new float[rank * weight.columns()], b, false);
    }

    private static double[] normal(RandomGenerator random, int length) {
        double[] values = new double[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextGaussian();
        }
        return values;
    }

    private static void requireRank(String name, FrozenWeight weight, int rank) {
        if (rank > Math.min(weight.rows(), weight.columns())) {
            throw new ConfigurationException("init_lora_weights \"" + name + "\" cannot make rank " + rank
                    + " from a weight of " + weight.rows() + " x " + weight.columns() + "; choose a smaller rank");
        }
    }

    private static void requirePositive(String name, double scaling) {
        if (scaling <= 0) {
            throw new ConfigurationException("init_lora_weights \"" + name + "\" needs an alpha above 0");
        }
    }
}
