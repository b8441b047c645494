package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionBlocking.Block;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.UnarySpec.Function;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What is done to the scores of attention between their product and the softmax: soft cap, bias, sinks. A sink is the
 * score of one more column, after those of the keys, whose value is 0.
 *
 * @param softCap 0 for none
 * @param sinks one for each query head, or none
 * @param bias [heads, width], or none
 * @param width 2 S + 1
 */
record ScoreExtras(float softCap, float[] sinks, float[] bias, int width) {
    private static final int BIAS = 2;
    private static final float[] NONE = {};

    static ScoreExtras of(AttentionShape shape, AttentionExtras extras) {
        return new ScoreExtras(shape.softCap(), extras.sinks().map(Arrays::toFloats).orElse(NONE),
                extras.bias().map(Arrays::toFloats).orElse(NONE), extras.bias().map(Arrays::columns).orElse(0));
    }

    /** Columns that they need after those of the keys. */
    static int spareColumns(AttentionExtras extras) {
        return extras.sinks().isPresent() ? 1 : 0;
    }

    /** The factor of the product, where the scores are to have {@code scale}. */
    float factor(float scale) {
        return softCap == 0 ? scale : scale / softCap;
    }

    /**
     * Caps scores that were multiplied with {@link #factor}; they are where this points to, and the argument holds what
     * {@link #capBackward} needs.
     */
    Span cap(ThreadContext lane, Span scores, int count) {
        if (softCap == 0) {
            return scores;
        }
        Vectors.unary(lane, Function.TANH, scores, scores, count);
        Span capped = Span.scratch(lane, DataType.FLOAT, count);
        Vectors.scale(lane, scores, softCap, capped, false, count);
        return capped;
    }

    /** The gradient of the scores over that of the capped ones: {@code d = d * (1 - t^2)}; overwrites t. */
    void capBackward(ThreadContext lane, Span tangents, Span d, int count) {
        if (softCap == 0) {
            return;
        }
        Vectors.binary(lane, Operator.MULTIPLY, tangents, tangents, tangents, false, count);
        Vectors.binary(lane, Operator.MULTIPLY, d, tangents, tangents, false, count);
        Vectors.binary(lane, Operator.SUBTRACT, d, tangents, d, false, count);
    }

    /** Adds the bias of a query head to the rows of a block [padded, columns]. */
    void addBias(ThreadContext lane, Block block, int padded, int head, Span scores) {
        if (bias.length == 0) {
            return;
        }
        int span = width / 2;
        int columns = block.columns();
        int length = columns + padded - 1;
        // Row i is the part of it that begins i before the last beginning.
        float[] diagonal = lane.floats(BIAS, length);
        for (int t = 0; t < length; t++) {
            int distance = block.distance() + t - (padded - 1);
            diagonal[t] = bias[head * width + span + Math.max(-span, Math.min(span, distance))];
        }
        long mark = lane.scratch().mark();
        Span rows = Span.scratch(lane, DataType.FLOAT, (long) padded * columns);
        for (int i = 0; i < padded; i++) {
            NativeMemory.write(rows.from((long) i * columns).address(), diagonal, padded - 1 - i, columns);
        }
        Vectors.binary(lane, Operator.ADD, scores, rows, scores, false, padded * columns);
        lane.scratch().release(mark);
    }

    /** Writes the sink of a query head behind the keys of a row of scores. */
    void writeSink(Block block, int head, Span row) {
        if (sinks.length > 0) {
            NativeMemory.write(row.from(block.count()).address(), sinks, head, 1);
        }
    }
}
