package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionPlan.Block;
import io.peft4j.onednn.AttentionPlan.KeyPart;
import io.peft4j.onednn.AttentionTile.Inputs;

/**
 * Attention of a single query row, as each step of generation has it, for all heads at once. Its products are too small
 * for oneDNN: plain loops over keys and values that were copied to the heap as they lie in memory.
 */
final class RowAttention {
    private static final int QUERY = 1;
    private static final int KEYS = 2;
    private static final int VALUES = 3;
    private static final int PIECE = 4;
    private static final int SCORES = 5;
    private static final int RESULT = 6;
    private static final int LSE = 7;

    private RowAttention() {
    }

    static void forward(Lane lane, Inputs inputs, Block block, long out, long lse) {
        AttentionShape shape = inputs.shape();
        int heads = shape.heads();
        int columns = shape.queryColumns();
        int count = block.parts().stream().mapToInt(RowAttention::visible).sum();
        float[] query = lane.tiles().floats(QUERY, columns);
        ElementwiseKernels.read(lane, new Span(inputs.type(), inputs.q()).from((long) block.row() * columns), query,
                columns);
        float[] keys = rows(lane, inputs, inputs.k(), block, KEYS, count);
        float[] values = rows(lane, inputs, inputs.v(), block, VALUES, count);
        float[] result = lane.tiles().floats(RESULT, columns);
        float[] lses = lane.tiles().floats(LSE, heads);
        for (int head = 0; head < heads; head++) {
            lses[head] = head(lane, shape, head, query, keys, values, count, result);
        }
        Span target = new Span(inputs.type(), out).from((long) block.row() * columns);
        ElementwiseKernels.write(lane, result, target, columns);
        NativeMemory.write(lse + 4L * block.row() * heads, lses, 0, heads);
    }

    /** The result of one head; returns the log of the sum of exponentials. */
    private static float head(Lane lane, AttentionShape shape, int head, float[] query, float[] keys, float[] values,
            int count, float[] result) {
        int size = shape.headSize();
        int stride = shape.keyColumns();
        int own = head * size;
        int shared = head / (shape.heads() / shape.keyValueHeads()) * size;
        float[] scores = lane.tiles().floats(SCORES, count);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            scores[i] = shape.scale() * dot(query, own, keys, i * stride + shared, size);
            max = Math.max(max, scores[i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            scores[i] = (float) Math.exp(scores[i] - max);
            sum += scores[i];
        }
        for (int j = 0; j < size; j++) {
            result[own + j] = 0;
        }
        for (int i = 0; i < count; i++) {
            float p = (float) (scores[i] / sum);
            int at = i * stride + shared;
            for (int j = 0; j < size; j++) {
                result[own + j] += p * values[at + j];
            }
        }
        return (float) (max + Math.log(sum));
    }

    /** Four sums side by side, so that one addition need not wait for the last. */
    private static float dot(float[] a, int aOffset, float[] b, int bOffset, int size) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int i = 0;
        for (; i <= size - 4; i += 4) {
            s0 += a[aOffset + i] * b[bOffset + i];
            s1 += a[aOffset + i + 1] * b[bOffset + i + 1];
            s2 += a[aOffset + i + 2] * b[bOffset + i + 2];
            s3 += a[aOffset + i + 3] * b[bOffset + i + 3];
        }
        for (; i < size; i++) {
            s0 += a[aOffset + i] * b[bOffset + i];
        }
        return s0 + s1 + (s2 + s3);
    }

    /** The visible rows of an array [M, key/value heads x D], one after the other. */
    private static float[] rows(Lane lane, Inputs inputs, long array, Block block, int slot, int count) {
        int columns = inputs.shape().keyColumns();
        float[] all = lane.tiles().floats(slot, count * columns);
        int row = 0;
        for (KeyPart part : block.parts()) {
            int length = visible(part) * columns;
            float[] piece = lane.tiles().floats(PIECE, length);
            ElementwiseKernels.read(lane, new Span(inputs.type(), array).from((long) part.start() * columns), piece,
                    length);
            System.arraycopy(piece, 0, all, row * columns, length);
            row += visible(part);
        }
        return all;
    }

    private static int visible(KeyPart part) {
        return Math.min(part.length(), part.visible());
    }
}
