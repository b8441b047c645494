package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Float16;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;

/**
 * LoftQ (<a href="https://arxiv.org/abs/2310.08659">2310.08659</a>): the base weight W is replaced by a quantized Q,
 * and A and B begin with the r largest singular values of what is lost, {@code B A ~ W - Q}. More iterations quantize
 * {@code W - B A} and begin again. As in Hugging Face PEFT, the adapter's scaling is not divided out.
 *
 * <p>The model computes with the quantized weight and begins near the base. The adapter holds that weight in f32, made
 * again from the base whenever it is loaded; its file holds A and B alone, as in Hugging Face PEFT, and means nothing
 * to who does not quantize.
 *
 * @param bits {@code loftq_bits}: 4, blocks of 64 values in NF4 (<a
 *     href="https://arxiv.org/abs/2305.14314">2305.14314</a>), or 8, rows in whole numbers up to 127 (<a
 *     href="https://arxiv.org/abs/2208.07339">2208.07339</a>); default 4
 * @param iterations {@code loftq_iter}: at least 1; default 1
 */
@Internal
public record LoftQ(@Key(value = "loftq_bits", fallback = "4") int bits,
        @Key(value = "loftq_iter", fallback = "1") int iterations) implements LoraInit.WithOptions {
    /**
     * Checks the values.
     *
     * @throws ConfigurationException when bits are neither 4 nor 8, or there is no iteration
     */
    public LoftQ {
        Checks.require(bits == 4 || bits == 8, "loftq_bits is " + bits + "; it must be 4 or 8");
        Checks.atLeast(1, "loftq_iter", iterations);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, LoftQ.class);
    }

    @Override
    public String json() {
        return "\"loftq\"";
    }

    @Override
    public String absent() {
        return "{}";
    }

    @Override
    public BasePart basePart() {
        return BasePart.WHOLE;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return LoraTarget.each(targets, target -> start(target, setup.isRestoring()));
    }

    /**
     * The first values.
     *
     * @param stored whether A and B come from a file, so that only Q is wanted
     */
    private LoraStart start(LoraTarget target, boolean stored) {
        FrozenWeight weight = target.linear().weight();
        int out = weight.rows();
        int in = weight.columns();
        int rank = target.rank();
        if (weight.isQuantized()) {
            throw new ConfigurationException("init_lora_weights \"loftq\" quantizes the base weight, and the one at "
                    + target.slot().path() + " is quantized already; load the model in f32 or bf16");
        }
        target.requireRank(this, rank);
        double[] w = Decompositions.values(weight);
        double[] remaining = w.clone();
        float[] quantized = new float[0];
        LoraStart start = new LoraStart(new float[rank * in], new float[out * rank], false);
        for (int i = 0; i < iterations; i++) {
            quantized = bits == 4 ? RoundedWeights.nf4(remaining) : RoundedWeights.int8(remaining, in);
            boolean last = i + 1 == iterations;
            if (!last || !stored) {
                SingularValues lost = target.decompose(this, difference(w, quantized), rank);
                start = LoraStart.shared(lost.u(), lost.s(), lost.vt(), 1, false, quantized);
                for (int j = 0; j < w.length; j++) {
                    remaining[j] = w[j] - product(start.b(), start.a(), j, rank, in);
                }
            }
        }
        return new LoraStart(start.a(), start.b(), false, quantized);
    }

    private static double[] difference(double[] w, float[] quantized) {
        double[] difference = new double[w.length];
        for (int i = 0; i < w.length; i++) {
            difference[i] = w[i] - quantized[i];
        }
        return difference;
    }

    private static double product(float[] b, float[] a, int element, int rank, int in) {
        double sum = 0;
        for (int k = 0; k < rank; k++) {
            sum += (double) b[element / in * rank + k] * a[k * in + element % in];
        }
        return sum;
    }

    /** Builds {@link LoftQ}, which says what each value means. */
    public interface Builder extends ConfigBuilder<LoftQ> {
        /** 4 or 8; default 4. */
        Builder bits(int value);

        /** At least 1, the default. */
        Builder iterations(int value);
    }

    /** Weights as bitsandbytes rounds them: what is left of values that were quantized and read again. */
    static final class RoundedWeights {
        private static final int BLOCK = 64;
        private static final float INT8 = 127;
        /** The quantiles of a normal distribution that four bits stand for. */
        private static final float[] NF4 = {-1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
            -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f, 0.07958029955625534f,
            0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
            0.7229568362236023f, 1f};

        private RoundedWeights() {
        }

        /** NF4: of each 64 values in their order the largest becomes 1, and each the nearest of 16 quantiles. */
        static float[] nf4(double[] values) {
            float[] rounded = new float[values.length];
            for (int from = 0; from < values.length; from += BLOCK) {
                int to = Math.min(values.length, from + BLOCK);
                float largest = largest(values, from, to);
                for (int i = from; i < to && largest > 0; i++) {
                    rounded[i] = nearest((float) values[i] / largest) * largest;
                }
            }
            return rounded;
        }

        /**
         * Whole numbers: of each row, in half precision, the largest becomes 127, and each the nearest, ties to even.
         *
         * @param columns values of a row
         */
        static float[] int8(double[] values, int columns) {
            float[] rounded = new float[values.length];
            for (int from = 0; from < values.length; from += columns) {
                float largest = half(largest(values, from, from + columns));
                // In the order of bitsandbytes: near ties another one rounds differently.
                float steps = 1 / largest * INT8;
                for (int i = from; i < from + columns && largest > 0; i++) {
                    rounded[i] = (float) Math.rint(half((float) values[i]) * steps) * largest * (1 / INT8);
                }
            }
            return rounded;
        }

        private static float half(float value) {
            return Float16.toFloat(Float16.fromFloat(value));
        }

        /** The largest absolute value as a float. */
        private static float largest(double[] values, int from, int to) {
            float largest = 0;
            for (int i = from; i < to; i++) {
                largest = Math.max(largest, Math.abs((float) values[i]));
            }
            return largest;
        }

        private static float nearest(float value) {
            int best = 0;
            while (best + 1 < NF4.length && value > (NF4[best] + NF4[best + 1]) / 2) {
                best++;
            }
            return NF4[best];
        }
    }
}
