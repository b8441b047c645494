package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The attention of {@link NaiveKernels}, one query row and head at a time. */
final class NaiveAttention {
    private final double[] q;
    private final double[] k;
    private final double[] v;
    private final AttentionLayout layout;
    private final AttentionShape shape;
    private final float[] sinks;
    private final float[] bias;

    NaiveAttention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras) {
        this.q = Arrays.doubles(Arrays.toFloats(q));
        this.k = Arrays.doubles(Arrays.toFloats(k));
        this.v = Arrays.doubles(Arrays.toFloats(v));
        this.layout = layout;
        this.shape = shape;
        this.sinks = extras.sinks().map(Arrays::toFloats).orElseGet(() -> new float[0]);
        this.bias = extras.bias().map(Arrays::toFloats).orElseGet(() -> new float[0]);
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
                    int first = i * width + head + (table.neighbours() ? 2 * j : j);
                    int second = first + (table.neighbours() ? 1 : half);
                    double a = xs[first];
                    double b = xs[second];
                    xs[first] = (float) (a * cos - b * sin);
                    xs[second] = (float) (b * cos + a * sin);
                }
            }
        }
        Arrays.write(x, 0, xs, 0, xs.length);
    }

    /**
     * A query row and a head of it.
     *
     * @param keys the key rows that it sees
     * @param distance from the key of the row to the first of these
     */
    private record Row(int row, int head, int[] keys, int distance) {
    }

    /** {@code out = sum over visible j of p[j] * v[j]}, {@code p = softmax(scores)}. */
    void forward(INDArray out, INDArray lse) {
        int size = shape.headSize();
        double[] outs = new double[Math.toIntExact(out.length())];
        double[] lses = new double[Math.toIntExact(lse.length())];
        forEachRow(row -> {
            double[] scores = biased(row, capped(row));
            double sum = logSumExp(scores, row.head());
            lses[row.row() * shape.heads() + row.head()] = sum;
            for (int i = 0; i < scores.length; i++) {
                addTimes(Math.exp(scores[i] - sum), v, key(row, i), outs, query(row), size);
            }
        });
        NaiveOperations.store(outs, out, false);
        NaiveOperations.store(lses, lse, false);
    }

    /**
     * With {@code dp[j] = dOut . v[j]} and {@code ds[j] = p[j] * (dp[j] - sum over i of p[i] * dp[i])}, times
     * {@code 1 - (c[j] / cap)^2} where c are soft-capped scores: {@code dv[j] += p[j] * dOut},
     * {@code dq += scale * ds[j] * k[j]}, {@code dk[j] += scale * ds[j] * q}.
     */
    void backward(INDArray dOut, INDArray dq, INDArray dk, INDArray dv) {
        int size = shape.headSize();
        double[] dOuts = Arrays.doubles(Arrays.toFloats(dOut));
        double[] dqs = new double[q.length];
        double[] dks = new double[k.length];
        double[] dvs = new double[v.length];
        forEachRow(row -> {
            double[] capped = capped(row);
            double[] p = biased(row, capped.clone());
            double[] dp = new double[p.length];
            double lse = logSumExp(p, row.head());
            double mean = 0;
            for (int i = 0; i < p.length; i++) {
                p[i] = Math.exp(p[i] - lse);
                dp[i] = dot(dOuts, query(row), v, key(row, i), size);
                mean += p[i] * dp[i];
            }
            for (int i = 0; i < p.length; i++) {
                double share = shape.softCap() == 0 ? 0 : capped[i] / shape.softCap();
                double ds = shape.scale() * p[i] * (dp[i] - mean) * (1 - share * share);
                addTimes(ds, k, key(row, i), dqs, query(row), size);
                addTimes(ds, q, query(row), dks, key(row, i), size);
                addTimes(p[i], dOuts, query(row), dvs, key(row, i), size);
            }
        });
        NaiveOperations.store(dqs, dq, false);
        NaiveOperations.store(dks, dk, false);
        NaiveOperations.store(dvs, dv, false);
    }

    private void forEachRow(Consumer<Row> task) {
        for (AttentionLayout.Segment segment : layout.segments()) {
            int[] keys = IntStream.concat(
                    segment.context().stream().flatMapToInt(r -> IntStream.range(r.start(), r.end())),
                    IntStream.range(segment.ownKeyStart(), segment.ownKeyEnd())).toArray();
            for (int i = 0; i < segment.queries(); i++) {
                int first = segment.seenFrom(i);
                int[] seen = java.util.Arrays.copyOfRange(keys, first, segment.seenTo(i));
                for (int head = 0; head < shape.heads(); head++) {
                    task.accept(new Row(segment.queryStart() + i, head, seen, first - segment.position(i)));
                }
            }
        }
    }

    /** The scores before the bias. */
    private double[] capped(Row row) {
        double[] scores = new double[row.keys().length];
        double cap = shape.softCap();
        for (int i = 0; i < scores.length; i++) {
            double score = shape.scale() * dot(q, query(row), k, key(row, i), shape.headSize());
            scores[i] = cap == 0 ? score : cap * Math.tanh(score / cap);
        }
        return scores;
    }

    /** Adds the bias to scores. */
    private double[] biased(Row row, double[] scores) {
        if (bias.length > 0) {
            int width = bias.length / shape.heads();
            int span = width / 2;
            for (int i = 0; i < scores.length; i++) {
                int distance = Math.max(-span, Math.min(span, row.distance() + i));
                scores[i] += bias[row.head() * width + span + distance];
            }
        }
        return scores;
    }

    // y += factor * x
    private static void addTimes(double factor, double[] x, int fromX, double[] y, int fromY, int count) {
        for (int i = 0; i < count; i++) {
            y[fromY + i] += factor * x[fromX + i];
        }
    }

    private static double dot(double[] a, int fromA, double[] b, int fromB, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[fromA + i] * b[fromB + i];
        }
        return sum;
    }

    private int query(Row row) {
        return row.row() * shape.queryColumns() + row.head() * shape.headSize();
    }

    private int key(Row row, int i) {
        int group = shape.heads() / shape.keyValueHeads();
        return row.keys()[i] * shape.keyColumns() + row.head() / group * shape.headSize();
    }

    private double logSumExp(double[] scores, int head) {
        double max = sinks.length > 0 ? sinks[head] : Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double sum = sinks.length > 0 ? Math.exp(sinks[head] - max) : 0;
        for (double score : scores) {
            sum += Math.exp(score - max);
        }
        return max + Math.log(sum);
    }
}
