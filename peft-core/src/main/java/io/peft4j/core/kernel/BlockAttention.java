package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The attention of {@link Nd4jKernels}: matrix products over a block of query rows and the keys they see, one head at a
 * time. Memory is a block of scores for each thread and, for BFLOAT16 arrays, f32 copies of them: linear in N.
 *
 * <p>The backward pass computes the probabilities again from the kept log-sum-exp, twice: once by query blocks for dq,
 * once by key blocks for dk and dv. So every result is written by one thread, whatever the layout shares.
 */
final class BlockAttention implements AutoCloseable {
    private static final int QUERIES = 64;
    private static final int KEYS = 128;

    private final Workers workers;
    private final Conversion queries;
    private final Conversion keys;
    private final Conversion values;
    private final Conversion gradients;

    BlockAttention(Workers workers) {
        this.workers = workers;
        queries = new Conversion(workers);
        keys = new Conversion(workers);
        values = new Conversion(workers);
        gradients = new Conversion(workers);
    }

    /** F32 addresses and what they mean: a row of queries has {@code qStride} floats, of keys {@code kStride}. */
    private record Inputs(long q, long k, long v, int qStride, int kStride, AttentionShape shape) {
        long query(int row, int head) {
            return q + 4 * ((long) row * qStride + (long) head * shape.headSize());
        }

        long key(int row, int keyHead) {
            return k + 4 * ((long) row * kStride + (long) keyHead * shape.headSize());
        }

        long value(int row, int keyHead) {
            return v + 4 * ((long) row * kStride + (long) keyHead * shape.headSize());
        }

        int keyHead(int head) {
            return head / (shape.heads() / shape.keyValueHeads());
        }
    }

    private Inputs inputs(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape) {
        long used = (long) layout.keyRows() * shape.keyColumns();
        return new Inputs(queries.floats(q), keys.floats(k, used), values.floats(v, used), shape.queryColumns(),
                shape.keyColumns(), shape);
    }

    /** Query rows {@code start} to {@code end} of a segment, and the key ranges that the last of them sees. */
    private record Block(int start, int end, int firstVisible, List<Range> ranges) {
        int rows() {
            return end - start;
        }

        int keys() {
            return firstVisible + rows() - 1;
        }
    }

    /** Row {@code start + i} of a block sees the first {@code firstVisible + i} keys of the block's ranges. */
    private static List<Block> blocks(AttentionLayout layout) {
        List<Block> blocks = new ArrayList<>();
        for (Segment segment : layout.segments()) {
            for (int start = segment.queryStart(); start < segment.queryEnd(); start += QUERIES) {
                int end = Math.min(segment.queryEnd(), start + QUERIES);
                List<Range> ranges = new ArrayList<>(segment.context());
                int own = segment.ownKeysBefore() + end - segment.queryStart();
                ranges.add(new Range(segment.ownKeyStart(), segment.ownKeyStart() + own));
                ranges.removeIf(r -> r.length() == 0);
                blocks.add(new Block(start, end, segment.contextKeys() + own - (end - start) + 1, ranges));
            }
        }
        return blocks;
    }

    void forward(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape, INDArray out,
            INDArray lse) {
        Inputs in = inputs(q, k, v, layout, shape);
        Elements outs = Elements.of(out);
        float[] sums = new float[Math.toIntExact(lse.length())];
        List<Block> blocks = blocks(layout);
        int size = shape.headSize();
        workers.run(blocks.size() * shape.heads(), (part, lane) -> {
            Block block = blocks.get(part / shape.heads());
            int head = part % shape.heads();
            long scores = lane.scratch(0, (long) block.rows() * block.keys());
            scores(lane, in, block, head, scores);
            float[] inverse = lane.floats(3, QUERIES);
            for (int i = 0; i < block.rows(); i++) {
                int at = (block.start() + i) * shape.heads() + head;
                sums[at] = softmax(scores, i, block, lane, inverse);
            }
            long result = lane.scratch(1, (long) QUERIES * size);
            weighted(lane, block, scores, in.value(0, in.keyHead(head)), in.kStride(), size, result);
            storeRows(lane, result, block, size, inverse, outs, in.qStride(), head * size);
        });
        Arrays.write(lse, 0, sums, 0, sums.length);
    }

    /** Scaled scores of a block, [rows, keys]. */
    private static void scores(Lane lane, Inputs in, Block block, int head, long scores) {
        int column = 0;
        for (Range range : block.ranges()) {
            Blas.product(lane, false, true, block.rows(), range.length(), in.shape().headSize(), in.shape().scale(),
                    in.query(block.start(), head), in.qStride(), in.key(range.start(), in.keyHead(head)), in.kStride(),
                    0, scores + 4L * column, block.keys());
            column += range.length();
        }
    }

    /** The product of a block [rows, keys] with key or value rows: [rows, D]. */
    private static void weighted(Lane lane, Block block, long weights, long rows, int stride, int size, long result) {
        int column = 0;
        for (Range range : block.ranges()) {
            Blas.product(lane, false, false, block.rows(), size, range.length(), 1, weights + 4L * column, block.keys(),
                    rows + 4L * range.start() * stride, stride, column == 0 ? 0 : 1, result, size);
            column += range.length();
        }
    }

    /**
     * Replaces row i of the scores by exponentials relative to its maximum, zero where the row sees nothing.
     *
     * @param inverse receives 1 / their sum
     * @return the log of the sum of exponentials of the scores
     */
    private static float softmax(long scores, int i, Block block, Lane lane, float[] inverse) {
        int visible = block.firstVisible() + i;
        Elements row = new Elements(scores + 4L * i * block.keys(), false);
        float[] u = lane.floats(0, block.keys());
        row.read(0, u, visible, lane);
        float max = RowMath.max(u, visible);
        double sum = RowLoops.exponentials(u, visible, max, lane);
        java.util.Arrays.fill(u, visible, block.keys(), 0);
        row.write(0, u, block.keys(), lane);
        inverse[i] = (float) (1 / sum);
        return (float) (max + Math.log(sum));
    }

    /** Writes [rows, D] to columns of the target, row i times {@code factors[i]}. */
    private static void storeRows(Lane lane, long result, Block block, int size, float[] factors, Elements target,
            int stride, int column) {
        float[] u = lane.floats(0, size);
        Elements computed = new Elements(result, false);
        for (int i = 0; i < block.rows(); i++) {
            computed.read((long) i * size, u, size, lane);
            ElementwiseLoops.scale(u, factors[i], size);
            target.write((long) (block.start() + i) * stride + column, u, size, lane);
        }
    }

    void backward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray lse, AttentionLayout layout,
            AttentionShape shape, INDArray dq, INDArray dk, INDArray dv) {
        Inputs in = inputs(q, k, v, layout, shape);
        Backward backward = new Backward(in, gradients.floats(dOut), Arrays.toFloats(lse),
                new float[Math.toIntExact(lse.length())]);
        List<Block> blocks = blocks(layout);
        Elements dqs = Elements.of(dq);
        float[] ones = new float[QUERIES];
        java.util.Arrays.fill(ones, 1);
        workers.run(blocks.size() * shape.heads(), (part, lane) ->
                backward.queries(lane, blocks.get(part / shape.heads()), part % shape.heads(), dqs, ones));
        Elements dks = Elements.of(dk);
        Elements dvs = Elements.of(dv);
        int keyBlocks = (Arrays.rows(k) + KEYS - 1) / KEYS;
        int rows = Arrays.rows(k);
        workers.run(keyBlocks * shape.keyValueHeads(), (part, lane) -> {
            int start = part / shape.keyValueHeads() * KEYS;
            backward.keys(lane, layout, start, Math.min(rows, start + KEYS), part % shape.keyValueHeads(), dks, dvs);
        });
    }

    /**
     * The gradients: with p = exp(score - lse), dp = dOut v^T, dots = sum over keys of p dp and
     * ds = scale p (dp - dots): dq = ds k, dk = ds^T q, dv = p^T dOut. The query blocks come first and leave the dots.
     */
    private record Backward(Inputs in, long dOut, float[] lse, float[] dots) {
        long dOut(int row, int head) {
            return dOut + 4 * ((long) row * in.qStride() + (long) head * in.shape().headSize());
        }

        void queries(Lane lane, Block block, int head, Elements dq, float[] ones) {
            int size = in.shape().headSize();
            int keyHead = in.keyHead(head);
            long scores = lane.scratch(0, (long) block.rows() * block.keys());
            long dp = lane.scratch(2, (long) block.rows() * block.keys());
            scores(lane, in, block, head, scores);
            int column = 0;
            for (Range range : block.ranges()) {
                Blas.product(lane, false, true, block.rows(), range.length(), size, 1, dOut(block.start(), head),
                        in.qStride(), in.value(range.start(), keyHead), in.kStride(), 0, dp + 4L * column,
                        block.keys());
                column += range.length();
            }
            for (int i = 0; i < block.rows(); i++) {
                wholeRow(lane, scores, dp, i, block, head);
            }
            long result = lane.scratch(1, (long) QUERIES * size);
            weighted(lane, block, dp, in.key(0, keyHead), in.kStride(), size, result);
            storeRows(lane, result, block, size, ones, dq, in.qStride(), head * size);
        }

        /** Replaces row i of dp, which holds all keys of the query, by ds. */
        private void wholeRow(Lane lane, long scores, long dp, int i, Block block, int head) {
            int keys = block.keys();
            int visible = block.firstVisible() + i;
            int at = (block.start() + i) * in.shape().heads() + head;
            float[] p = lane.floats(0, keys);
            float[] d = lane.floats(4, keys);
            Elements dpRow = new Elements(dp + 4L * i * keys, false);
            new Elements(scores + 4L * i * keys, false).read(0, p, visible, lane);
            dpRow.read(0, d, visible, lane);
            RowLoops.exponentials(p, visible, lse[at], lane);
            dots[at] = (float) RowMath.dot(p, d, visible);
            gradients(p, d, dots[at], in.shape().scale(), visible);
            java.util.Arrays.fill(d, visible, keys, 0);
            dpRow.write(0, d, keys, lane);
        }

        /** Replaces row i of the scores by p and row i of dp by ds; both are zero where the query sees nothing. */
        private void someKeys(Lane lane, long scores, long dp, int i, int keys, int seen, int query, int head) {
            int at = query * in.shape().heads() + head;
            float[] p = lane.tile(0);
            float[] d = lane.tile(1);
            Elements scoreRow = new Elements(scores + 4L * i * keys, false);
            Elements dpRow = new Elements(dp + 4L * i * keys, false);
            scoreRow.read(0, p, seen, lane);
            dpRow.read(0, d, seen, lane);
            RowLoops.subtract(p, lse[at], seen);
            lane.exponential().apply(p, p, seen);
            gradients(p, d, dots[at], in.shape().scale(), seen);
            java.util.Arrays.fill(p, seen, keys, 0);
            java.util.Arrays.fill(d, seen, keys, 0);
            scoreRow.write(0, p, keys, lane);
            dpRow.write(0, d, keys, lane);
        }

        private static void gradients(float[] p, float[] d, float dot, float scale, int count) {
            for (int i = 0; i < count; i++) {
                d[i] = scale * p[i] * (d[i] - dot);
            }
        }

        /** dk and dv of key rows {@code start} to {@code end}: adds up all blocks of queries that see some of them. */
        void keys(Lane lane, AttentionLayout layout, int start, int end, int keyHead, Elements dk, Elements dv) {
            int size = in.shape().headSize();
            KeySums sums = new KeySums(start, lane.scratch(1, (long) KEYS * size), lane.scratch(3, (long) KEYS * size));
            NativeMemory.clear(sums.dk(), 4L * KEYS * size);
            NativeMemory.clear(sums.dv(), 4L * KEYS * size);
            for (Segment segment : layout.segments()) {
                for (Range range : segment.context()) {
                    int from = Math.max(start, range.start());
                    int to = Math.min(end, range.end());
                    if (from < to) {
                        addQueries(lane, segment, segment.queryStart(), from, to, Integer.MAX_VALUE / 2, keyHead, sums);
                    }
                }
                int from = Math.max(start, segment.ownKeyStart());
                int to = Math.min(end, segment.ownKeyEnd());
                if (from < to) {
                    int before = segment.ownKeyStart() + segment.ownKeysBefore() - from;
                    int first = segment.queryStart() + Math.max(0, -before);
                    addQueries(lane, segment, first, from, to, before + 1, keyHead, sums);
                }
            }
            copyOut(lane, sums.dk(), start, end, keyHead, dk);
            copyOut(lane, sums.dv(), start, end, keyHead, dv);
        }

        private record KeySums(int start, long dk, long dv) {
        }

        /**
         * Adds what queries {@code first} and after contribute to keys {@code from} to {@code to}; the query in row j
         * of the segment sees the first {@code visible + j} of them.
         */
        private void addQueries(Lane lane, Segment segment, int first, int from, int to, int visible, int keyHead,
                KeySums sums) {
            int keys = to - from;
            int size = in.shape().headSize();
            int group = in.shape().heads() / in.shape().keyValueHeads();
            long scores = lane.scratch(0, (long) QUERIES * KEYS);
            long dp = lane.scratch(2, (long) QUERIES * KEYS);
            long offset = 4L * (from - sums.start()) * size;
            for (int row = first; row < segment.queryEnd(); row += QUERIES) {
                int rows = Math.min(QUERIES, segment.queryEnd() - row);
                for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
                    Blas.product(lane, false, true, rows, keys, size, in.shape().scale(), in.query(row, head),
                            in.qStride(), in.key(from, keyHead), in.kStride(), 0, scores, keys);
                    Blas.product(lane, false, true, rows, keys, size, 1, dOut(row, head), in.qStride(),
                            in.value(from, keyHead), in.kStride(), 0, dp, keys);
                    for (int i = 0; i < rows; i++) {
                        int seen = Math.min(keys, visible + row + i - segment.queryStart());
                        someKeys(lane, scores, dp, i, keys, seen, row + i, head);
                    }
                    Blas.product(lane, true, false, keys, size, rows, 1, scores, keys, dOut(row, head), in.qStride(), 1,
                            sums.dv() + offset, size);
                    Blas.product(lane, true, false, keys, size, rows, 1, dp, keys, in.query(row, head), in.qStride(), 1,
                            sums.dk() + offset, size);
                }
            }
        }

        private void copyOut(Lane lane, long source, int start, int end, int keyHead, Elements target) {
            int size = in.shape().headSize();
            float[] u = lane.floats(0, size);
            Elements computed = new Elements(source, false);
            for (int row = start; row < end; row++) {
                computed.read((long) (row - start) * size, u, size, lane);
                target.write((long) row * in.kStride() + (long) keyHead * size, u, size, lane);
            }
        }
    }

    @Override
    public void close() {
        queries.close();
        keys.close();
        values.close();
        gradients.close();
    }
}
