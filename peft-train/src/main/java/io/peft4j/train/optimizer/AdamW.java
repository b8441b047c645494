package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.train.optimizer.ParameterUpdate.UpdateStep;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * AdamW (Decoupled Weight Decay Regularization, <a href="https://arxiv.org/abs/1711.05101">1711.05101</a>) as PyTorch
 * computes it: {@code p -= lr * wd * p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)}.
 *
 * <p>With {@code eightBit} the moments are kept in 8 bits (8-bit Optimizers via Block-wise Quantization,
 * <a href="https://arxiv.org/abs/2110.02861">2110.02861</a>) as bitsandbytes keeps them: in blocks of 256 values, each
 * value the nearest of 256 that lie closer the smaller they are, times the largest of its block. That is a quarter of
 * their memory, 2 instead of 8 bytes a parameter. Parameters of fewer than 4,096 values keep moments in f32.
 *
 * @param beta1 decay of the first moment; default 0.9
 * @param beta2 decay of the second moment; default 0.999
 * @param epsilon added to the root of the second moment; default 1e-8
 * @param eightBit whether moments are kept in 8 bits; default false
 */
public record AdamW(double beta1, double beta2, double epsilon, boolean eightBit) implements Optimizer {
    /** The defaults. */
    public static final AdamW DEFAULT = new AdamW(0.9, 0.999, 1e-8, false);
    /** The defaults, with moments in 8 bits. */
    public static final AdamW EIGHT_BIT = new AdamW(0.9, 0.999, 1e-8, true);
    /** Smaller parameters keep moments in f32. */
    private static final int SMALLEST = 4096;

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when a beta is not in [0, 1), or epsilon not above 0
     */
    public AdamW {
        requireBeta("beta1", beta1);
        requireBeta("beta2", beta2);
        if (!(epsilon > 0 && Double.isFinite(epsilon))) {
            throw new ConfigurationException("the epsilon of AdamW is " + epsilon + "; it must be above 0");
        }
    }

    static void requireBeta(String name, double beta) {
        if (!(beta >= 0 && beta < 1)) {
            throw new ConfigurationException("the " + name + " of the optimizer is " + beta
                    + "; it must be from 0 to below 1");
        }
    }

    @Internal
    @Override
    public ParameterUpdate of(Parameter parameter) {
        return eightBit && parameter.length() >= SMALLEST ? new AdamW8BitUpdate(this, parameter)
                : new AdamWUpdate(this, parameter);
    }

    /** AdamW with moments in f32. */
    private static final class AdamWUpdate implements ParameterUpdate {
        private final AdamW numbers;
        private final Parameter parameter;
        private final INDArray first;
        private final INDArray second;

        AdamWUpdate(AdamW numbers, Parameter parameter) {
            this.numbers = numbers;
            this.parameter = parameter;
            try (Closer opened = new Closer()) {
                this.first = opened.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
                this.second = opened.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
                opened.keep();
            }
        }

        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            kernels.adamW(parameter.value(), parameter.gradient(), first, second, new AdamWStep(step.number(),
                    step.learningRate(), numbers.beta1(), numbers.beta2(), numbers.epsilon(), step.weightDecay(),
                    step.gradientScale()));
        }

        @Override
        public Map<String, INDArray> arrays() {
            return Map.of("exp_avg", first, "exp_avg_sq", second);
        }
    }

    /** AdamW with moments in 8 bits; the update is made with them before they are rounded. */
    private static final class AdamW8BitUpdate implements ParameterUpdate {
        private final AdamW numbers;
        private final Parameter parameter;
        private final BlockMoments first;
        private final BlockMoments second;

        AdamW8BitUpdate(AdamW numbers, Parameter parameter) {
            this.numbers = numbers;
            this.parameter = parameter;
            try (Closer opened = new Closer()) {
                this.first = new BlockMoments(true, parameter.length(), opened);
                this.second = new BlockMoments(false, parameter.length(), opened);
                opened.keep();
            }
        }

        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            float decay = (float) (1 - step.learningRate() * step.weightDecay());
            float size = (float) (-step.learningRate() / (1 - Math.pow(numbers.beta1(), step.number())));
            float correction = (float) Math.sqrt(1 - Math.pow(numbers.beta2(), step.number()));
            HeapTiles.run(parameter.length(), (from, count) -> {
                float[] p = HeapTiles.read(parameter.value(), from, count);
                float[] g = HeapTiles.gradient(parameter.gradient(), from, count, step.gradientScale());
                float[] m = first.read(from, count);
                float[] v = second.read(from, count);
                for (int i = 0; i < count; i++) {
                    m[i] = (float) numbers.beta1() * m[i] + (float) (1 - numbers.beta1()) * g[i];
                    v[i] = (float) numbers.beta2() * v[i] + (float) (1 - numbers.beta2()) * g[i] * g[i];
                    float denominator = (float) Math.sqrt(v[i]) / correction + (float) numbers.epsilon();
                    p[i] = p[i] * decay + size * m[i] / denominator;
                }
                HeapTiles.write(parameter.value(), from, p);
                first.write(from, m);
                second.write(from, v);
            });
        }

        @Override
        public Map<String, INDArray> arrays() {
            Map<String, INDArray> arrays = new LinkedHashMap<>(first.arrays("exp_avg"));
            arrays.putAll(second.arrays("exp_avg_sq"));
            return arrays;
        }
    }

    /**
     * Values in 8 bits, in blocks of {@value #BLOCK}: each is one of 256 values of {@link #map}, times the largest
     * absolute value of its block.
     */
    static final class BlockMoments {
        private static final int BLOCK = 256;
        private static final int CODES = 256;
        private static final int EXPONENTS = 7;

        private final float[] values;
        private final INDArray codes;
        private final INDArray largest;

        /**
         * All 0.
         *
         * @param signed whether values may be below 0; if not, they are twice as fine
         * @param opened gets the arrays
         */
        BlockMoments(boolean signed, long length, Closer opened) {
            values = map(signed);
            // The type has no place in the engine, which never sees these.
            codes = opened.add(Nd4j.createUninitializedDetached(DataType.UBYTE, length));
            NativeMemory.clear(Arrays.address(codes), length);
            largest = opened.add(Arrays.zeros(DataType.FLOAT, (length + BLOCK - 1) / BLOCK));
        }

        /**
         * The values of bitsandbytes' dynamic map, ascending: 0, 1, and for each power of ten from 1e-6 to 1 the
         * middles of as many equal parts of a tenth of it to all of it as are left bits.
         */
        static float[] map(boolean signed) {
            float[] all = new float[CODES];
            int count = 0;
            for (int i = 0; i < EXPONENTS; i++) {
                int parts = signed ? 1 << i : 2 << i;
                for (int k = 0; k < parts; k++) {
                    float middle = (edge(k, parts) + edge(k + 1, parts)) / 2;
                    float value = (float) (Math.pow(10, i + 1 - EXPONENTS) * middle);
                    all[count++] = value;
                    if (signed) {
                        all[count++] = -value;
                    }
                }
            }
            all[count] = 0;
            all[count + 1] = 1;
            java.util.Arrays.sort(all);
            return all;
        }

        private static float edge(int k, int parts) {
            return (float) (0.1 + 0.9 * k / parts);
        }

        /** Reads values; {@code first} begins a block. */
        float[] read(long first, int count) {
            byte[] bytes = new byte[count];
            NativeMemory.read(Arrays.address(codes) + first, bytes, 0, count);
            float[] scales = HeapTiles.read(largest, first / BLOCK, (count + BLOCK - 1) / BLOCK);
            float[] result = new float[count];
            for (int i = 0; i < count; i++) {
                result[i] = values[bytes[i] & 0xff] * scales[i / BLOCK];
            }
            return result;
        }

        /** Writes values; {@code first} begins a block, and they end with one or with the last value. */
        void write(long first, float[] given) {
            byte[] bytes = new byte[given.length];
            float[] scales = new float[(given.length + BLOCK - 1) / BLOCK];
            for (int from = 0; from < given.length; from += BLOCK) {
                int to = Math.min(given.length, from + BLOCK);
                float max = 0;
                for (int i = from; i < to; i++) {
                    max = Math.max(max, Math.abs(given[i]));
                }
                scales[from / BLOCK] = max;
                for (int i = from; i < to; i++) {
                    bytes[i] = (byte) nearest(max == 0 ? 0 : given[i] / max);
                }
            }
            NativeMemory.write(Arrays.address(codes) + first, bytes, 0, bytes.length);
            HeapTiles.write(largest, first / BLOCK, scales);
        }

        private int nearest(float value) {
            int place = java.util.Arrays.binarySearch(values, value);
            if (place >= 0) {
                return place;
            }
            int above = -place - 1;
            if (above == 0 || above == CODES) {
                return above == 0 ? 0 : CODES - 1;
            }
            return value - values[above - 1] <= values[above] - value ? above - 1 : above;
        }

        Map<String, INDArray> arrays(String name) {
            return Map.of(name, codes, name + "_absmax", largest);
        }
    }
}
