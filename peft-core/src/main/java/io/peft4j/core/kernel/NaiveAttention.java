package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The attention of {@link NaiveKernels}, one query row and head at a time. */
final class NaiveAttention {
    private final float[] q;
    private final float[] k;
    private final float[] v;
    private final AttentionLayout layout;
    private final AttentionShape shape;

    NaiveAttention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape) {
        this.q = Arrays.toFloats(q);
        this.k = Arrays.toFloats(k);
        this.v = Arrays.toFloats(v);
        this.layout = layout;
        this.shape = shape;
    }

    static void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        float[] xs = Arrays.toFloats(x);
        int width = Arrays.columns(x);
        int half = table.half();
        for (int i = 0; i < positions.length; i++) {
            for (int head = 0; head < width; head += headSize) {
                for (int j = 0; j < half; j++) {
                    double cos = table.cosines()[positions[i] * half + j];
                    double sin = (inverse ? -1 : 1) * (double) table.sines()[positions[i] * half + j];
                    int first = i * width + head + j;
                    double a = xs[first];
                    double b = xs[first + half];
                    xs[first] = (float) (a * cos - b * sin);
                    xs[first + half] = (float) (b * cos + a * sin);
                }
            }
        }
        Arrays.write(x, 0, xs, 0, xs.length);
    }

    /** {@code out = sum over visible j of p[j] * v[j]}, {@code p = softmax(scale * q k^T)}. */
    void forward(INDArray out, INDArray lse) {
        int size = shape.headSize();
        double[] outs = new double[Math.toIntExact(out.length())];
        double[] lses = new double[Math.toIntExact(lse.length())];
        forEachRow((row, head, keys) -> {
            double[] scores = scores(row, head, keys);
            double sum = logSumExp(scores);
            lses[row * shape.heads() + head] = sum;
            for (int i = 0; i < keys.length; i++) {
                double p = Math.exp(scores[i] - sum);
                for (int d = 0; d < size; d++) {
                    outs[query(row, head) + d] += p * v[key(keys[i], head) + d];
                }
            }
        });
        NaiveOperations.store(outs, out, false);
        NaiveOperations.store(lses, lse, false);
    }

    /**
     * With {@code dp[j] = dOut . v[j]} and {@code ds[j] = p[j] * (dp[j] - sum over i of p[i] * dp[i])}:
     * {@code dv[j] += p[j] * dOut}, {@code dq += scale * ds[j] * k[j]}, {@code dk[j] += scale * ds[j] * q}.
     */
    void backward(INDArray dOut, INDArray dq, INDArray dk, INDArray dv) {
        int size = shape.headSize();
        float[] dOuts = Arrays.toFloats(dOut);
        double[] dqs = new double[q.length];
        double[] dks = new double[k.length];
        double[] dvs = new double[v.length];
        forEachRow((row, head, keys) -> {
            double[] p = scores(row, head, keys);
            double[] dp = new double[keys.length];
            double lse = logSumExp(p);
            double mean = 0;
            for (int i = 0; i < keys.length; i++) {
                p[i] = Math.exp(p[i] - lse);
                dp[i] = NaiveOperations.dot(dOuts, query(row, head), v, key(keys[i], head), size);
                mean += p[i] * dp[i];
            }
            for (int i = 0; i < keys.length; i++) {
                double ds = shape.scale() * p[i] * (dp[i] - mean);
                for (int d = 0; d < size; d++) {
                    dqs[query(row, head) + d] += ds * k[key(keys[i], head) + d];
                    dks[key(keys[i], head) + d] += ds * q[query(row, head) + d];
                    dvs[key(keys[i], head) + d] += p[i] * dOuts[query(row, head) + d];
                }
            }
        });
        NaiveOperations.store(dqs, dq, false);
        NaiveOperations.store(dks, dk, false);
        NaiveOperations.store(dvs, dv, false);
    }

    @FunctionalInterface
    private interface RowTask {
        void run(int row, int head, int[] keys);
    }

    private void forEachRow(RowTask task) {
        for (AttentionLayout.Segment segment : layout.segments()) {
            int[] context = segment.context().stream().flatMapToInt(r -> IntStream.range(r.start(), r.end())).toArray();
            for (int row = segment.queryStart(); row < segment.queryEnd(); row++) {
                int own = segment.ownKeysBefore() + row - segment.queryStart() + 1;
                int start = segment.ownKeyStart();
                int[] keys = IntStream.concat(IntStream.of(context), IntStream.range(start, start + own)).toArray();
                for (int head = 0; head < shape.heads(); head++) {
                    task.run(row, head, keys);
                }
            }
        }
    }

    private double[] scores(int row, int head, int[] keys) {
        double[] scores = new double[keys.length];
        for (int i = 0; i < keys.length; i++) {
            scores[i] = shape.scale()
                    * NaiveOperations.dot(q, query(row, head), k, key(keys[i], head), shape.headSize());
        }
        return scores;
    }

    private int query(int row, int head) {
        return row * shape.queryColumns() + head * shape.headSize();
    }

    private int key(int row, int head) {
        int group = shape.heads() / shape.keyValueHeads();
        return row * shape.keyColumns() + head / group * shape.headSize();
    }

    private static double logSumExp(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double sum = 0;
        for (double score : scores) {
            sum += Math.exp(score - max);
        }
        return max + Math.log(sum);
    }
}
