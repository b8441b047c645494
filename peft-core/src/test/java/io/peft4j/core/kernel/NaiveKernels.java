package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Every operation in plain loops: values in f32, sums in double, one thread, no cleverness. This is the truth that the
 * kernels are tested against.
 */
public final class NaiveKernels extends CheckedKernels {
    /** Kernels that hold nothing. */
    public NaiveKernels() {
        this(new NaiveOperations());
    }

    private NaiveKernels(NaiveOperations all) {
        super("naive", new KernelGroups(all, all, all, new NaiveActivations(), all, all, new NaiveLayerNorm(), all, all,
                new NaiveSequences(), all, all));
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("kernels", name());
    }

    /** Holds nothing. */
    @Override
    public void close() {
    }

    /** The layer norm of {@link NaiveKernels}. */
    private static final class NaiveLayerNorm implements LayerNormKernels {
        @Override
        public void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, float epsilon, INDArray y,
                INDArray mean, INDArray rstd) {
            int width = Arrays.columns(x);
            float[] xs = Arrays.toFloats(x);
            float[] w = Arrays.toFloats(weight);
            float[] b = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
            double[] means = new double[Arrays.rows(x)];
            double[] r = new double[means.length];
            for (int i = 0; i < xs.length; i++) {
                means[i / width] += (double) xs[i] / width;
            }
            for (int i = 0; i < xs.length; i++) {
                double centered = xs[i] - means[i / width];
                r[i / width] += centered * centered / width;
            }
            for (int i = 0; i < r.length; i++) {
                r[i] = 1 / Math.sqrt(r[i] + epsilon);
            }
            NaiveOperations.store(means, mean, false);
            NaiveOperations.store(r, rstd, false);
            NaiveOperations.store(y, i -> (xs[i] - means[i / width]) * r[i / width] * w[i % width] + b[i % width],
                    false);
        }

        // with g = dy * weight and n = (x - mean) * rstd: dx = rstd * (g - mean(g) - n * mean(g * n))
        @Override
        public void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd,
                INDArray dx,
                boolean accumulate) {
            int width = Arrays.columns(x);
            float[] dys = Arrays.toFloats(dy);
            float[] xs = Arrays.toFloats(x);
            float[] w = Arrays.toFloats(weight);
            float[] m = Arrays.toFloats(mean);
            float[] r = Arrays.toFloats(rstd);
            double[] sums = new double[r.length];
            double[] dots = new double[r.length];
            for (int i = 0; i < xs.length; i++) {
                double g = (double) dys[i] * w[i % width];
                sums[i / width] += g / width;
                dots[i / width] += g * (xs[i] - (double) m[i / width]) * r[i / width] / width;
            }
            NaiveOperations.store(dx, i -> {
                int row = i / width;
                double n = (xs[i] - (double) m[row]) * r[row];
                return r[row] * ((double) dys[i] * w[i % width] - sums[row] - n * dots[row]);
            }, accumulate);
        }

        @Override
        public void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
                Optional<INDArray> db) {
            int width = Arrays.columns(x);
            float[] dys = Arrays.toFloats(dy);
            float[] xs = Arrays.toFloats(x);
            float[] m = Arrays.toFloats(mean);
            float[] r = Arrays.toFloats(rstd);
            double[] products = new double[width];
            double[] sums = new double[width];
            for (int i = 0; i < xs.length; i++) {
                products[i % width] += dys[i] * (xs[i] - (double) m[i / width]) * r[i / width];
                sums[i % width] += dys[i];
            }
            NaiveOperations.store(products, dw, true);
            db.ifPresent(target -> NaiveOperations.store(sums, target, true));
        }
    }
}
