package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionKernels;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionBlocking.Block;
import io.peft4j.onednn.AttentionBlocking.Group;
import io.peft4j.onednn.AttentionTile.Inputs;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.MatmulSpec.Operand;
import io.peft4j.onednn.RowSpec.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Attention in blocks of query rows whose scores stay in the cache: cost follows the visible keys, memory is linear in
 * the number of rows. The gradient computes the probabilities again.
 */
final class OneDnnAttention implements AttentionKernels {
    /** Layers of a model may see through one or two windows, or none. */
    private static final int MOST_PLANS = 4;
    private static final int MOST_SHARES = 4;
    /** How much longer than the mean the busiest thread may work before a group is cut into more shares. */
    private static final double TOLERATED_IMBALANCE = 1.1;

    private final ThreadTeam team;
    private final BFloat16Products bfloat16;
    /** The last ones, the latest first. */
    private final Deque<Planned> plans = new ArrayDeque<>();

    OneDnnAttention(ThreadTeam team, BFloat16Products bfloat16) {
        this.team = team;
        this.bfloat16 = bfloat16;
    }

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        AttentionBlocking cut = plan(layout, shape, extras);
        ScoreExtras changes = ScoreExtras.of(shape, extras);
        boolean single = cut.blocks().stream().allMatch(block -> block.rows() == 1);
        DataType type = bfloat16.type(single ? 1 : Arrays.rows(q), q, k, v, out);
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            List<Block> blocks = cut.blocks();
            int heads = shape.keyValueHeads();
            if (single) {
                Inputs inputs = new Inputs(type, as(q, type), as(k, type), as(v, type), shape, changes);
                Span result = out.dataType() == type ? Span.of(out) : Span.scratch(team.caller(), type, out.length());
                team.run(blocks.size(), (lane, task) -> RowAttention.forward(lane, inputs, blocks.get(task), result));
                if (out.dataType() != type) {
                    Vectors.convert(team, result, Span.of(out), out.length());
                }
            } else {
                Inputs inputs = new Inputs(type, Span.of(q), right(k, type), right(v, type), shape, changes);
                Span result = Span.of(out);
                team.run(blocks.size() * heads,
                        (lane, task) -> forward(lane, inputs, blocks.get(task / heads), task % heads, result));
            }
        }
    }

    private static void forward(ThreadContext lane, Inputs inputs, Block block, int head, Span out) {
        AttentionTile tile = new AttentionTile(lane, inputs, block, head);
        Span p = tile.softmax(tile.scores(tile.fold(inputs.q())));
        tile.unfold(tile.timesKeys(p, true, 1f), out);
    }

    @Override
    public boolean readsLogSumExp() {
        return false;
    }

    @Override
    public void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv) {
        AttentionBlocking cut = plan(layout, shape, extras);
        DataType type = bfloat16.type(Arrays.rows(q), dOut, q, k, v, dq, dk, dv);
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Inputs inputs = new Inputs(type, Span.of(q), right(k, type), right(v, type), shape,
                    ScoreExtras.of(shape, extras));
            Gradients gradients = new Gradients(inputs, Span.of(dOut), Span.of(dq), Span.of(dk), Span.of(dv));
            clearUnseen(cut, gradients, Arrays.rows(k));
            int heads = shape.keyValueHeads();
            List<Group> groups = cut.groups();
            int shares = shares(groups.size() * heads);
            if (shares == 1) {
                team.run(groups.size() * heads, (lane, task) -> {
                    Group group = groups.get(task / heads);
                    Span[] sums = {sums(lane, group, shape)};
                    backward(lane, gradients, group, task % heads, 0, 1, sums[0]);
                    writeKeys(lane, gradients, group, task % heads, sums, 0, 1);
                });
            } else {
                inShares(gradients, groups, shares);
            }
        }
    }

    private void inShares(Gradients gradients, List<Group> groups, int shares) {
        int heads = gradients.inputs.shape().keyValueHeads();
        Span[] sums = new Span[groups.size() * heads * shares];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = sums(team.caller(), groups.get(i / (heads * shares)), gradients.inputs.shape());
        }
        team.run(sums.length, (lane, task) -> backward(lane, gradients, groups.get(task / (heads * shares)),
                task / shares % heads, task % shares, shares, sums[task]));
        team.run(groups.size() * heads, (lane, task) -> writeKeys(lane, gradients, groups.get(task / heads),
                task % heads, sums, task * shares, shares));
    }

    /** Memory for the gradients of a group's keys and values, one head of each. */
    private static Span sums(ThreadContext lane, Group group, AttentionShape shape) {
        return Span.scratch(lane, DataType.FLOAT, 2L * group.paddedKeys() * shape.headSize());
    }

    /** Inputs and results of the gradient. */
    private record Gradients(Inputs inputs, Span dOut, Span dq, Span dk, Span dv) {
    }

    /**
     * Into how many shares to cut the blocks of a group, each with sums of its own, so that no thread waits for long.
     */
    private int shares(int tasks) {
        int threads = team.size();
        for (int shares = 1; shares < MOST_SHARES; shares++) {
            int busiest = (tasks * shares + threads - 1) / threads;
            if (busiest * threads <= TOLERATED_IMBALANCE * tasks * shares) {
                return shares;
            }
        }
        return MOST_SHARES;
    }

    /** Every {@code shares}-th block of a group, from block {@code share} on. */
    private static void backward(ThreadContext lane, Gradients gradients, Group group, int head, int share, int shares,
            Span sums) {
        int size = gradients.inputs.shape().headSize();
        NativeMemory.clear(sums.address(), 8L * group.paddedKeys() * size);
        Span dkSums = sums;
        Span dvSums = sums.from((long) group.paddedKeys() * size);
        float scale = gradients.inputs.shape().scale();
        for (int i = share; i < group.blocks().size(); i += shares) {
            long mark = lane.scratch().mark();
            AttentionTile tile = new AttentionTile(lane, gradients.inputs, group.blocks().get(i), head);
            Span q = tile.fold(gradients.inputs.q());
            Span dOut = tile.fold(gradients.dOut);
            Span p = tile.softmax(tile.scores(q));
            tile.addToKeys(p, dOut, 1f, dvSums, group.keyStart());
            Span dScores = tile.timesValuesTransposed(dOut);
            tile.scoresBackward(p, dScores);
            tile.addToKeys(dScores, q, scale, dkSums, group.keyStart());
            tile.unfold(tile.timesKeys(dScores, false, scale), gradients.dq);
            lane.scratch().release(mark);
        }
    }

    /** Joins the shares' sums and writes them to the columns of a head. */
    private static void writeKeys(ThreadContext lane, Gradients gradients, Group group, int head, Span[] sums,
            int first,
            int shares) {
        int size = gradients.inputs.shape().headSize();
        for (int share = 1; share < shares; share++) {
            Vectors.binary(lane, Operator.ADD, sums[first], sums[first + share], sums[first], false,
                    2 * group.paddedKeys() * size);
        }
        Span dkSums = sums[first];
        Span dvSums = dkSums.from((long) group.paddedKeys() * size);
        int stride = gradients.inputs.shape().keyColumns();
        long start = (long) group.keyStart() * stride + (long) head * size;
        RowBlocks.each(0, group.keys(), size, (row, rows) -> {
            Vectors.copy(lane, new CopySpec(DataType.FLOAT, gradients.dk.type(), 1, rows, size, 0, size, 0, stride),
                    dkSums.from((long) row * size), gradients.dk.from(start + (long) row * stride));
            Vectors.copy(lane, new CopySpec(DataType.FLOAT, gradients.dv.type(), 1, rows, size, 0, size, 0, stride),
                    dvSums.from((long) row * size), gradients.dv.from(start + (long) row * stride));
        });
    }

    /** Key rows that belong to no group have no gradient. */
    private static void clearUnseen(AttentionBlocking cut, Gradients gradients, int rows) {
        int done = 0;
        for (Group group : cut.groups()) {
            clear(gradients, done, group.keyStart());
            done = group.keyEnd();
        }
        clear(gradients, done, rows);
    }

    private static void clear(Gradients gradients, int from, int to) {
        long columns = gradients.inputs.shape().keyColumns();
        for (Span each : List.of(gradients.dk, gradients.dv)) {
            NativeMemory.clear(each.from(from * columns).address(), (to - from) * columns * Arrays.bytes(each.type()));
        }
    }

    private record Planned(AttentionLayout layout, int queriesPerKey, int spare, AttentionBlocking plan) {
        boolean isFor(AttentionLayout other, int otherQueries, int otherSpare) {
            return layout == other && queriesPerKey == otherQueries && spare == otherSpare;
        }
    }

    /** The plan of the layout; kept, since all layers of a pass use the same few. */
    private AttentionBlocking plan(AttentionLayout layout, AttentionShape shape, AttentionExtras extras) {
        int queriesPerKey = shape.heads() / shape.keyValueHeads();
        int spare = ScoreExtras.spareColumns(extras);
        for (Planned known : plans) {
            if (known.isFor(layout, queriesPerKey, spare)) {
                return known.plan();
            }
        }
        if (plans.size() == MOST_PLANS) {
            plans.removeLast();
        }
        plans.addFirst(new Planned(layout, queriesPerKey, spare, new AttentionBlocking(layout, queriesPerKey, spare)));
        return plans.getFirst().plan();
    }

    private Span as(INDArray array, DataType type) {
        if (array.dataType() == type) {
            return Span.of(array);
        }
        Span copy = Span.scratch(team.caller(), type, array.length());
        Vectors.convert(team, Span.of(array), copy, array.length());
        return copy;
    }

    /** Keys or values as right operands of products of the given type. */
    private Span right(INDArray array, DataType type) {
        return type == DataType.FLOAT && bfloat16.widen() ? Span.of(array) : as(array, type);
    }

    /**
     * Attention of a single query row, as each step of generation has it. The query heads that read one key/value head
     * lie side by side in the row, so they are the rows of a matrix as they are, and so is the result. Visible keys and
     * values are copied together, all heads at once: that is cheaper than more calls on what is scattered.
     */
    private static final class RowAttention {
        private static final int SCORES = 1;

        private final ThreadContext lane;
        private final Inputs inputs;
        private final Block block;
        private final int heads;
        private final int padded;

        private RowAttention(ThreadContext lane, Inputs inputs, Block block) {
            this.lane = lane;
            this.inputs = inputs;
            this.block = block;
            this.heads = inputs.shape().heads();
            this.padded = block.columns();
        }

        static void forward(ThreadContext lane, Inputs inputs, Block block, Span out) {
            new RowAttention(lane, inputs, block).forward(out);
        }

        private void forward(Span out) {
            DataType type = inputs.type();
            long first = (long) block.row() * inputs.shape().queryColumns();
            Span scores = scores(inputs.q().from(first));
            hidePadding(scores);
            Span p = type == DataType.FLOAT ? scores : Span.scratch(lane, type, (long) heads * padded);
            Vectors.required(lane, RowSpec.of(Kind.SOFTMAX, DataType.FLOAT, type, heads, padded))
                    .run(lane, scores.address(), p.address());
            timesValues(p, out.from(first));
        }

        private Span scores(Span q) {
            AttentionShape shape = inputs.shape();
            int size = shape.headSize();
            int group = inputs.group();
            Span keys = visibleRows(inputs.k());
            Span scores = Span.scratch(lane, DataType.FLOAT, (long) heads * padded);
            MatmulSpec product = new MatmulSpec(Operand.rows(inputs.type(), size),
                    Operand.transposed(inputs.type(), shape.keyColumns()), Operand.rows(DataType.FLOAT, padded), group,
                    size, padded, inputs.extras().factor(shape.scale()), false);
            for (int head = 0; head < shape.keyValueHeads(); head++) {
                PlainProduct.run(lane, product, q.from((long) head * group * size).address(),
                        keys.from((long) head * size).address(), scores.from((long) head * group * padded).address());
            }
            Span capped = inputs.extras().cap(lane, scores, heads * padded);
            for (int head = 0; head < heads; head++) {
                inputs.extras().addBias(lane, block, 1, head, capped.from((long) head * padded));
            }
            return capped;
        }

        private void timesValues(Span p, Span out) {
            AttentionShape shape = inputs.shape();
            int size = shape.headSize();
            int group = inputs.group();
            Span values = visibleRows(inputs.v());
            MatmulSpec product = new MatmulSpec(Operand.rows(inputs.type(), padded),
                    Operand.rows(inputs.type(), shape.keyColumns()), Operand.rows(inputs.type(), size), group, padded,
                    size,
                    1f, false);
            for (int head = 0; head < shape.keyValueHeads(); head++) {
                PlainProduct.run(lane, product, p.from((long) head * group * padded).address(),
                        values.from((long) head * size).address(), out.from((long) head * group * size).address());
            }
        }

        /** The visible rows of an array [M, key/value heads x D] one after the other, then zeros. */
        private Span visibleRows(Span array) {
            int columns = inputs.shape().keyColumns();
            int bytes = Arrays.bytes(inputs.type());
            Span rows = Span.scratch(lane, inputs.type(), (long) padded * columns);
            long row = 0;
            for (Range range : block.keys()) {
                NativeMemory.copy(array.from((long) range.start() * columns).address(),
                        rows.from(row * columns).address(), (long) range.length() * columns * bytes);
                row += range.length();
            }
            NativeMemory.clear(rows.from(row * columns).address(), (padded - row) * columns * bytes);
            return rows;
        }

        private void hidePadding(Span scores) {
            int hidden = padded - block.count();
            float[] minusInfinity = lane.floats(SCORES, hidden);
            java.util.Arrays.fill(minusInfinity, 0, hidden, Float.NEGATIVE_INFINITY);
            for (int head = 0; head < heads && hidden > 0; head++) {
                Span row = scores.from((long) head * padded);
                NativeMemory.write(row.from(block.count()).address(), minusInfinity, 0, hidden);
                inputs.extras().writeSink(block, head, row);
            }
        }
    }
}
