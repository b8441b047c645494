package io.peft4j.core.kernel.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.internal.NativeMemory;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionKernels;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionShape;
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
final class BlockAttention implements AttentionKernels, AutoCloseable {
    private static final int QUERIES = 64;
    private static final int KEYS = 128;

    private final Workers<Lane> workers;
    private final Conversion queries;
    private final Conversion keys;
    private final Conversion values;
    private final Conversion gradients;

    BlockAttention(Workers<Lane> workers) {
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

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        if (!isSimple(layout, shape, extras)) {
            new NaiveAttention(q, k, v, layout, shape, extras).forward(out, lse);
            return;
        }
        Inputs in = inputs(q, k, v, layout, shape);
        Elements outs = Elements.of(out);
        float[] sums = new float[Math.toIntExact(lse.length())];
        List<Block> blocks = blocks(layout);
        workers.run(blocks.size() * shape.heads(), (lane, part) -> {
            Block block = blocks.get(part / shape.heads());
            int head = part % shape.heads();
            long scores = lane.scratch(0, (long) block.rows() * block.keys());
            scores(lane, in, block, head, scores);
            new ScoreRows(lane, scores, block.rows(), block.keys(), block.firstVisible())
                    .softmax(sums, block.start() * shape.heads() + head, shape.heads());
            weighted(lane, block, scores, in.value(0, in.keyHead(head)), in, outs, head);
        });
        Arrays.write(lse, 0, sums, 0, sums.length);
    }

    private static boolean isSimple(AttentionLayout layout, AttentionShape shape, AttentionExtras extras) {
        return layout.isCausal() && shape.softCap() == 0 && extras.isNone();
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

    /** The product of a block [rows, keys] with key or value rows, to a head's columns of the target. */
    private static void weighted(Lane lane, Block block, long weights, long rows, Inputs in, Elements target,
            int head) {
        int size = in.shape().headSize();
        long first = (long) block.start() * in.qStride() + (long) head * size;
        if (!target.narrow()) {
            weighted(lane, block, weights, rows, in.kStride(), size, target.address() + 4 * first, in.qStride());
            return;
        }
        long result = lane.scratch(1, (long) QUERIES * size);
        weighted(lane, block, weights, rows, in.kStride(), size, result, size);
        copy(lane, result, block.rows(), size, target, first, in.qStride());
    }

    private static void weighted(Lane lane, Block block, long weights, long rows, int stride, int size, long result,
            int resultStride) {
        int column = 0;
        for (Range range : block.ranges()) {
            Blas.product(lane, false, false, block.rows(), size, range.length(), 1, weights + 4L * column, block.keys(),
                    rows + 4L * range.start() * stride, stride, column == 0 ? 0 : 1, result, resultStride);
            column += range.length();
        }
    }

    /** Copies [rows, D] to the target from element {@code first} on, a row every {@code stride} elements. */
    private static void copy(Lane lane, long source, int rows, int size, Elements target, long first, int stride) {
        float[] u = lane.floats(0, size);
        Elements computed = new Elements(source, false);
        for (int i = 0; i < rows; i++) {
            computed.read((long) i * size, u, size, lane);
            target.write(first + (long) i * stride, u, size, lane);
        }
    }

    @Override
    public void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv) {
        if (!isSimple(layout, shape, extras)) {
            new NaiveAttention(q, k, v, layout, shape, extras).backward(dOut, dq, dk, dv);
            return;
        }
        Inputs in = inputs(q, k, v, layout, shape);
        Backward backward = new Backward(in, gradients.floats(dOut), Arrays.toFloats(lse),
                new float[Math.toIntExact(lse.length())]);
        List<Block> blocks = blocks(layout);
        Elements dqs = Elements.of(dq);
        workers.run(blocks.size() * shape.heads(), (lane, part) ->
                backward.queries(lane, blocks.get(part / shape.heads()), part % shape.heads(), dqs));
        Elements dks = Elements.of(dk);
        Elements dvs = Elements.of(dv);
        int keyBlocks = (Arrays.rows(k) + KEYS - 1) / KEYS;
        int rows = Arrays.rows(k);
        workers.run(keyBlocks * shape.keyValueHeads(), (lane, part) -> {
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

        void queries(Lane lane, Block block, int head, Elements dq) {
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
            int heads = in.shape().heads();
            new ScoreRows(lane, scores, block.rows(), block.keys(), block.firstVisible())
                    .gradientOfAllKeys(dp, in.shape().scale(), lse, dots, block.start() * heads + head, heads);
            weighted(lane, block, dp, in.key(0, keyHead), in, dq, head);
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
            long first = (long) start * in.kStride() + (long) keyHead * size;
            copy(lane, sums.dk(), end - start, size, dk, first, in.kStride());
            copy(lane, sums.dv(), end - start, size, dv, first, in.kStride());
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
            int heads = in.shape().heads();
            int group = heads / in.shape().keyValueHeads();
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
                    new ScoreRows(lane, scores, rows, keys, visible + row - segment.queryStart()).gradientOfSomeKeys(
                            dp, in.shape().scale(), lse, dots, row * heads + head, heads);
                    Blas.product(lane, true, false, keys, size, rows, 1, scores, keys, dOut(row, head), in.qStride(), 1,
                            sums.dv() + offset, size);
                    Blas.product(lane, true, false, keys, size, rows, 1, dp, keys, in.query(row, head), in.qStride(), 1,
                            sums.dk() + offset, size);
                }
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
