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
final class BlockAttention implements AttentionKernels, AutoCloseable {
    private static final int QUERIES = 64;
    private static final int KEYS = 128;

    private final Workers<ThreadScratch> workers;
    private final Conversion queries;
    private final Conversion keys;
    private final Conversion values;
    private final Conversion gradients;

    BlockAttention(Workers<ThreadScratch> workers) {
        this.workers = workers;
        queries = new Conversion(workers);
        keys = new Conversion(workers);
        values = new Conversion(workers);
        gradients = new Conversion(workers);
    }

    /** F32 addresses and what they mean: a row of queries has {@code qStride} floats, of keys {@code kStride}. */
    private record Inputs(long q, long k, long v, int qStride, int kStride, AttentionShape shape,
            ScoreRules rules) {
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

    private Inputs inputs(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras) {
        long used = (long) layout.keyRows() * shape.keyColumns();
        return new Inputs(queries.floats(q), keys.floats(k, used), values.floats(v, used), shape.queryColumns(),
                shape.keyColumns(), shape, ScoreRules.of(shape, extras));
    }

    /** Queries {@code first} to {@code end} of a segment, and the rows of keys {@code from} to {@code to}. */
    private record Block(SeenKeys seen, int first, int end, int from, int to, List<Range> ranges) {
        int start() {
            return seen.segment().queryStart() + first;
        }

        int rows() {
            return end - first;
        }

        int keys() {
            return to - from;
        }

        ScoreRows scores(ThreadScratch lane, long scores, int head, ScoreRules rules) {
            return new ScoreRows(lane, scores, rows(), keys(), seen, first, from, head, rules);
        }
    }

    private static List<Block> blocks(AttentionLayout layout) {
        List<Block> blocks = new ArrayList<>();
        for (Segment segment : layout.segments()) {
            SeenKeys seen = SeenKeys.of(segment);
            for (int first = 0; first < segment.queries(); first += QUERIES) {
                int end = Math.min(segment.queries(), first + QUERIES);
                int from = seen.from()[first];
                int to = seen.to()[end - 1];
                blocks.add(new Block(seen, first, end, from, to, segment.keyRows(from, to)));
            }
        }
        return blocks;
    }

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        Inputs in = inputs(q, k, v, layout, shape, extras);
        Elements outs = Elements.of(out);
        float[] sums = new float[Math.toIntExact(lse.length())];
        List<Block> blocks = blocks(layout);
        workers.run(blocks.size() * shape.heads(), (lane, part) -> {
            Block block = blocks.get(part / shape.heads());
            int head = part % shape.heads();
            long scores = lane.scratch(0, (long) block.rows() * block.keys());
            scores(lane, in, block, head, scores);
            block.scores(lane, scores, head, in.rules()).softmax(sums, block.start() * shape.heads() + head,
                    shape.heads());
            weighted(lane, block, scores, in.value(0, in.keyHead(head)), in, outs, head);
        });
        Arrays.write(lse, 0, sums, 0, sums.length);
    }

    /** Products of queries and keys of a block, [rows, keys]. */
    private static void scores(ThreadScratch lane, Inputs in, Block block, int head, long scores) {
        int column = 0;
        for (Range range : block.ranges()) {
            Blas.product(lane, false, true, block.rows(), range.length(), in.shape().headSize(),
                    in.rules().factor(in.shape().scale()), in.query(block.start(), head), in.qStride(),
                    in.key(range.start(), in.keyHead(head)), in.kStride(), 0, scores + 4L * column, block.keys());
            column += range.length();
        }
    }

    /** The product of a block [rows, keys] with key or value rows, to a head's columns of the target. */
    private static void weighted(ThreadScratch lane, Block block, long weights, long rows, Inputs in, Elements target,
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

    private static void weighted(ThreadScratch lane, Block block, long weights, long rows, int stride, int size,
            long result,
            int resultStride) {
        int column = 0;
        for (Range range : block.ranges()) {
            Blas.product(lane, false, false, block.rows(), size, range.length(), 1, weights + 4L * column, block.keys(),
                    rows + 4L * range.start() * stride, stride, column == 0 ? 0 : 1, result, resultStride);
            column += range.length();
        }
    }

    /** Copies [rows, D] to the target from element {@code first} on, a row every {@code stride} elements. */
    private static void copy(ThreadScratch lane, long source, int rows, int size, Elements target, long first,
            int stride) {
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
        Inputs in = inputs(q, k, v, layout, shape, extras);
        Backward backward = new Backward(in, gradients.floats(dOut), Arrays.toFloats(lse),
                new float[Math.toIntExact(lse.length())]);
        List<Block> blocks = blocks(layout);
        Elements dqs = Elements.of(dq);
        workers.run(blocks.size() * shape.heads(),
                (lane, part) -> backward.queries(lane, blocks.get(part / shape.heads()), part % shape.heads(), dqs));
        Elements dks = Elements.of(dk);
        Elements dvs = Elements.of(dv);
        int keyBlocks = (Arrays.rows(k) + KEYS - 1) / KEYS;
        int rows = Arrays.rows(k);
        List<SeenKeys> segments = layout.segments().stream().map(SeenKeys::of).toList();
        workers.run(keyBlocks * shape.keyValueHeads(), (lane, part) -> {
            int start = part / shape.keyValueHeads() * KEYS;
            backward.keys(lane, segments, start, Math.min(rows, start + KEYS), part % shape.keyValueHeads(), dks, dvs);
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

        void queries(ThreadScratch lane, Block block, int head, Elements dq) {
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
            block.scores(lane, scores, head, in.rules()).gradientOfAllKeys(dp, in.shape().scale(), lse, dots,
                    block.start() * heads + head, heads);
            weighted(lane, block, dp, in.key(0, keyHead), in, dq, head);
        }

        /** dk and dv of key rows {@code start} to {@code end}: adds up all queries that see some of them. */
        void keys(ThreadScratch lane, List<SeenKeys> segments, int start, int end, int keyHead, Elements dk,
                Elements dv) {
            int size = in.shape().headSize();
            KeySums sums = new KeySums(start, lane.scratch(1, (long) KEYS * size), lane.scratch(3, (long) KEYS * size));
            NativeMemory.clear(sums.dk(), 4L * KEYS * size);
            NativeMemory.clear(sums.dv(), 4L * KEYS * size);
            for (SeenKeys seen : segments) {
                int before = 0;
                for (Range range : seen.segment().keyRows(0, seen.segment().keys())) {
                    int from = Math.max(start, range.start());
                    int to = Math.min(end, range.end());
                    if (from < to) {
                        addQueries(lane, seen, from, to, before + from - range.start(), keyHead, sums);
                    }
                    before += range.length();
                }
            }
            long first = (long) start * in.kStride() + (long) keyHead * size;
            copy(lane, sums.dk(), end - start, size, dk, first, in.kStride());
            copy(lane, sums.dv(), end - start, size, dv, first, in.kStride());
        }

        private record KeySums(int start, long dk, long dv) {
        }

        /** Adds what a segment's queries give to key rows {@code from} to {@code to}, of numbers from firstKey. */
        private void addQueries(ThreadScratch lane, SeenKeys seen, int from, int to, int firstKey, int keyHead,
                KeySums sums) {
            int keys = to - from;
            int size = in.shape().headSize();
            int heads = in.shape().heads();
            int group = heads / in.shape().keyValueHeads();
            long scores = lane.scratch(0, (long) QUERIES * KEYS);
            long dp = lane.scratch(2, (long) QUERIES * KEYS);
            long offset = 4L * (from - sums.start()) * size;
            int end = seen.endQuery(firstKey + keys);
            for (int query = seen.firstQuery(firstKey); query < end; query += QUERIES) {
                int rows = Math.min(QUERIES, end - query);
                int row = seen.segment().queryStart() + query;
                for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
                    Blas.product(lane, false, true, rows, keys, size, in.rules().factor(in.shape().scale()),
                            in.query(row, head), in.qStride(), in.key(from, keyHead), in.kStride(), 0, scores, keys);
                    Blas.product(lane, false, true, rows, keys, size, 1, dOut(row, head), in.qStride(),
                            in.value(from, keyHead), in.kStride(), 0, dp, keys);
                    new ScoreRows(lane, scores, rows, keys, seen, query, firstKey, head, in.rules())
                            .gradientOfSomeKeys(dp, in.shape().scale(), lse, dots, row * heads + head, heads);
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
