package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionBlocking.Block;
import io.peft4j.onednn.AttentionTile.Inputs;
import io.peft4j.onednn.MatmulSpec.Operand;
import io.peft4j.onednn.RowSpec.Kind;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Attention of a single query row, as each step of generation has it. The query heads that read one key/value head lie
 * side by side in the row, so they are the rows of a matrix as they are, and so is the result. Visible keys and values
 * are copied together, all heads at once: that is cheaper than more calls on what is scattered.
 */
final class RowAttention {
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
                Operand.rows(inputs.type(), shape.keyColumns()), Operand.rows(inputs.type(), size), group, padded, size,
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
