package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.UpdateKernels.AdamWStep;
import io.peft4j.core.weight.FrozenWeight;
import java.util.function.IntToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The operations of {@link NaiveKernels}. Formula of a gradient: above the method. */
final class NaiveOperations
        implements
            MatrixKernels,
            RowKernels,
            ElementwiseKernels,
            ScalingKernels,
            NormKernels,
            RotaryKernels,
            AttentionKernels,
            LossKernels,
            UpdateKernels {
    @Override
    public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        int in = w.columns();
        int out = w.rows();
        float[] xs = Arrays.toFloats(x);
        float[] row = new float[in];
        double[] sums = new double[Math.toIntExact(y.length())];
        for (int o = 0; o < out; o++) {
            w.readRow(o, row, 0);
            for (int i = 0; i * out < sums.length; i++) {
                sums[i * out + o] = dot(xs, i * in, row, 0, in);
            }
        }
        store(sums, y, accumulate);
    }

    // dx[i] = sum over o of dy[i, o] * w[o]
    @Override
    public void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        int in = w.columns();
        int out = w.rows();
        float[] dys = Arrays.toFloats(dy);
        float[] row = new float[in];
        double[] sums = new double[Math.toIntExact(dx.length())];
        for (int o = 0; o < out; o++) {
            w.readRow(o, row, 0);
            for (int i = 0; i * in < sums.length; i++) {
                double factor = dys[i * out + o];
                for (int j = 0; j < in; j++) {
                    sums[i * in + j] += factor * row[j];
                }
            }
        }
        store(sums, dx, accumulate);
    }

    @Override
    public void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        int m = Arrays.rows(c);
        int l = Arrays.columns(c);
        int k = transposeA ? Arrays.rows(a) : Arrays.columns(a);
        double[] as = Arrays.doubles(Arrays.toFloats(a));
        float[] bs = Arrays.toFloats(b);
        double[] right = Arrays.doubles(transposeB ? Arrays.transposed(bs, l, k) : bs);
        double[] sums = new double[m * l];
        for (int i = 0; i < m; i++) {
            for (int x = 0; x < k; x++) {
                double left = alpha * as[transposeA ? x * m + i : i * k + x];
                for (int j = 0; j < l; j++) {
                    sums[i * l + j] += left * right[x * l + j];
                }
            }
        }
        store(sums, c, accumulate);
    }

    @Override
    public void addBias(INDArray y, INDArray bias) {
        float[] b = Arrays.toFloats(bias);
        store(y, i -> b[i % b.length], true);
    }

    @Override
    public void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        float[] dys = Arrays.toFloats(dy);
        double[] sums = new double[Arrays.columns(dy)];
        for (int i = 0; i < dys.length; i++) {
            sums[i % sums.length] += dys[i];
        }
        store(sums, db, accumulate);
    }

    @Override
    public void gather(FrozenWeight table, int[] ids, INDArray y) {
        float[] row = new float[table.columns()];
        for (int i = 0; i < ids.length; i++) {
            table.readRow(ids[i], row, 0);
            Arrays.write(y, (long) i * row.length, row, 0, row.length);
        }
    }

    @Override
    public void gatherRows(INDArray x, int[] rows, INDArray y) {
        float[] xs = Arrays.toFloats(x);
        int width = Arrays.columns(x);
        store(y, i -> xs[rows[i / width] * width + i % width], false);
    }

    @Override
    public void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        float[] dys = Arrays.toFloats(dy);
        int width = Arrays.columns(dx);
        double[] sums = new double[Math.toIntExact(dx.length())];
        for (int i = 0; i < dys.length; i++) {
            sums[rows[i / width] * width + i % width] += dys[i];
        }
        store(sums, dx, true);
    }

    @Override
    public void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count, boolean accumulate) {
        int widthX = Arrays.columns(x);
        int widthY = Arrays.columns(y);
        float[] xs = Arrays.toFloats(x);
        float[] ys = Arrays.toFloats(y);
        store(y, i -> {
            int column = i % widthY - fromY;
            if (column < 0 || column >= count) {
                return ys[i];
            }
            return (accumulate ? ys[i] : 0.0) + xs[i / widthY * widthX + fromX + column];
        }, false);
    }

    @Override
    public void softmax(INDArray x, INDArray y) {
        int width = Arrays.columns(x);
        float[] row = new float[width];
        for (int i = 0; i < Arrays.rows(x); i++) {
            Arrays.read(x, (long) i * width, row, 0, width);
            double sum = logSumExp(row);
            for (int j = 0; j < width; j++) {
                row[j] = (float) Math.exp(row[j] - sum);
            }
            Arrays.write(y, (long) i * width, row, 0, width);
        }
    }

    // dx = y * (dy - sum over the row of dy * y)
    @Override
    public void softmaxBackward(INDArray dy, INDArray y, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(y);
        float[] dys = Arrays.toFloats(dy);
        float[] ys = Arrays.toFloats(y);
        double[] dots = new double[Arrays.rows(y)];
        for (int i = 0; i < dots.length; i++) {
            dots[i] = dot(dys, i * width, ys, i * width, width);
        }
        store(dx, i -> ys[i] * (dys[i] - dots[i / width]), accumulate);
    }

    @Override
    public void add(INDArray a, INDArray b, INDArray y) {
        float[] as = Arrays.toFloats(a);
        float[] bs = Arrays.toFloats(b);
        store(y, i -> (double) as[i] + bs[i], false);
    }

    @Override
    public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        float[] as = Arrays.toFloats(a);
        float[] bs = Arrays.toFloats(b);
        store(y, i -> (double) as[i] * bs[i], accumulate);
    }

    @Override
    public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        float[] xs = Arrays.toFloats(x);
        store(y, i -> (double) alpha * xs[i], accumulate);
    }

    @Override
    public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        float[] xs = Arrays.toFloats(x);
        store(y, i -> DropoutMask.keeps(seed, i, p) ? xs[i] / (1.0 - p) : 0, accumulate);
    }

    @Override
    public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        int width = Arrays.columns(x);
        float[] xs = Arrays.toFloats(x);
        float[] w = Arrays.toFloats(weight);
        double[] r = new double[Arrays.rows(x)];
        for (int i = 0; i < r.length; i++) {
            r[i] = 1 / Math.sqrt(dot(xs, i * width, xs, i * width, width) / width + epsilon);
        }
        store(r, rstd, false);
        store(y, i -> xs[i] * r[i / width] * w[i % width], false);
    }

    // with n = x * rstd: dx = rstd * (dy * w - n * mean(dy * w * n))
    @Override
    public void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        int width = Arrays.columns(x);
        float[] dys = Arrays.toFloats(dy);
        float[] xs = Arrays.toFloats(x);
        float[] w = Arrays.toFloats(weight);
        float[] r = Arrays.toFloats(rstd);
        double[] means = new double[r.length];
        for (int i = 0; i < xs.length; i++) {
            means[i / width] += (double) dys[i] * w[i % width] * xs[i] * r[i / width] / width;
        }
        store(dx, i -> {
            double rs = r[i / width];
            return rs * ((double) dys[i] * w[i % width] - xs[i] * rs * means[i / width]);
        }, accumulate);
    }

    @Override
    public void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        int width = Arrays.columns(x);
        float[] dys = Arrays.toFloats(dy);
        float[] xs = Arrays.toFloats(x);
        float[] r = Arrays.toFloats(rstd);
        double[] sums = new double[width];
        for (int i = 0; i < xs.length; i++) {
            sums[i % width] += (double) dys[i] * xs[i] * r[i / width];
        }
        store(sums, dw, true);
    }

    @Override
    public void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        NaiveAttention.rotary(x, headSize, table, positions, inverse);
    }

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        new NaiveAttention(q, k, v, layout, shape, extras).forward(out, lse);
    }

    @Override
    public void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv) {
        new NaiveAttention(q, k, v, layout, shape, extras).backward(dOut, dq, dk, dv);
    }

    @Override
    public void crossEntropy(INDArray logits, int[] targets, float[] nll, boolean[] hits) {
        int width = Arrays.columns(logits);
        float[] row = new float[width];
        for (int i = 0; i < targets.length; i++) {
            Arrays.read(logits, (long) i * width, row, 0, width);
            nll[i] = (float) (logSumExp(row) - row[targets[i]]);
            hits[i] = true;
            for (float logit : row) {
                hits[i] &= logit <= row[targets[i]];
            }
        }
    }

    @Override
    public void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        int width = Arrays.columns(logits);
        float[] row = new float[width];
        for (int i = 0; i < targets.length; i++) {
            Arrays.read(logits, (long) i * width, row, 0, width);
            double lse = logSumExp(row);
            for (int j = 0; j < width; j++) {
                row[j] = (float) (weights[i] * (Math.exp(row[j] - lse) - (j == targets[i] ? 1 : 0)));
            }
            Arrays.write(logits, (long) i * width, row, 0, width);
        }
    }

    @Override
    public double sumOfSquares(INDArray x) {
        float[] xs = Arrays.toFloats(x);
        return dot(xs, 0, xs, 0, xs.length);
    }

    @Override
    public void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        float[] ps = Arrays.toFloats(parameter);
        float[] gs = Arrays.toFloats(gradient);
        float[] ms = Arrays.toFloats(firstMoment);
        float[] vs = Arrays.toFloats(secondMoment);
        double correction1 = 1 - Math.pow(step.beta1(), step.step());
        double correction2 = 1 - Math.pow(step.beta2(), step.step());
        for (int i = 0; i < ps.length; i++) {
            double g = gs[i] * step.gradientScale();
            double m = ms[i] + (g - ms[i]) * (1 - step.beta1());
            double v = vs[i] * step.beta2() + (1 - step.beta2()) * g * g;
            double decayed = ps[i] * (1 - step.learningRate() * step.weightDecay());
            double denominator = Math.sqrt(v / correction2) + step.epsilon();
            ps[i] = (float) (decayed - step.learningRate() / correction1 * m / denominator);
            ms[i] = (float) m;
            vs[i] = (float) v;
        }
        Arrays.write(parameter, 0, ps, 0, ps.length);
        Arrays.write(firstMoment, 0, ms, 0, ms.length);
        Arrays.write(secondMoment, 0, vs, 0, vs.length);
    }

    // ---- parts

    static double dot(float[] a, int fromA, float[] b, int fromB, int count) {
        // Two sums, since each addition waits for the one before it.
        double even = 0;
        double odd = 0;
        for (int i = 0; i + 1 < count; i += 2) {
            even += (double) a[fromA + i] * b[fromB + i];
            odd += (double) a[fromA + i + 1] * b[fromB + i + 1];
        }
        return even + odd + (count % 2 == 0 ? 0 : (double) a[fromA + count - 1] * b[fromB + count - 1]);
    }

    private static double logSumExp(float[] row) {
        double max = Double.NEGATIVE_INFINITY;
        for (float value : row) {
            max = Math.max(max, value);
        }
        double sum = 0;
        for (float value : row) {
            sum += Math.exp(value - max);
        }
        return max + Math.log(sum);
    }

    static void store(double[] values, INDArray target, boolean accumulate) {
        store(target, i -> values[i], accumulate);
    }

    static void store(INDArray target, IntToDoubleFunction value, boolean accumulate) {
        float[] old = accumulate ? Arrays.toFloats(target) : new float[Math.toIntExact(target.length())];
        for (int i = 0; i < old.length; i++) {
            old[i] = (float) (accumulate ? old[i] + value.applyAsDouble(i) : value.applyAsDouble(i));
        }
        Arrays.write(target, 0, old, 0, old.length);
    }
}
