package io.peft4j.lora.init;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A and B random with B A = 0, up to rounding: a random orthogonal Q [r, r] gives its even rows to a and its odd ones
 * to b, each multiplied by a random matrix and divided by 10. The rank must be even.
 */
record Orthogonal() implements LoraInit {
    @Override
    public String json() {
        return "\"orthogonal\"";
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return LoraTarget.each(targets, target -> start(target, setup.random()));
    }

    private static LoraStart start(LoraTarget target, RandomGenerator random) {
        int rank = target.rank();
        Checks.require(rank % 2 == 0, "init_lora_weights \"orthogonal\" needs an even rank, and it is " + rank);
        double[] q = Decompositions.orthonormal(normal(random, rank * rank), rank, rank, rank);
        return new LoraStart(mixed(normal(random, target.linear().inFeatures() * rank / 2), q, rank, 0, true),
                mixed(normal(random, target.linear().outFeatures() * rank / 2), q, rank, 1, false), false);
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

    private static double[] normal(RandomGenerator random, int length) {
        double[] values = new double[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextGaussian();
        }
        return values;
    }
}
