package io.peft4j.onednn;

import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Turns a quantized weight into plain floats, some rows at a time, in scratch memory that is used again: what is
 * multiplied next is still in the cache, and no weight is ever there as a whole.
 */
final class WeightPanels {
    /** Elements that are decoded at a time. */
    private static final int PANEL = 1 << 21;
    /** Elements that a thread decodes at a time: they stay in its nearest cache. */
    private static final int TILE = 1 << 13;

    private final Team team;

    WeightPanels(Team team) {
        this.team = team;
    }

    /** Some decoded rows of a weight. */
    @FunctionalInterface
    interface Panel {
        /** Works on rows from {@code firstRow} on. */
        void run(int firstRow, Matrix rows);
    }

    /** The number of rows of a panel. */
    static int rows(FrozenWeight w) {
        return Math.max(16, PANEL / w.columns() / 16 * 16);
    }

    /** Decodes panel after panel to {@code type}. */
    void each(FrozenWeight w, DataType type, Panel panel) {
        int width = w.columns();
        int size = Math.min(w.rows(), rows(w));
        Scratch scratch = team.caller().scratch();
        long mark = scratch.mark();
        Span decoded = Span.scratch(team.caller(), type, (long) size * width);
        for (int first = 0; first < w.rows(); first += size) {
            int rows = Math.min(size, w.rows() - first);
            decode(w, first, rows, decoded);
            panel.run(first, new Matrix(decoded, rows, width, width, false));
        }
        scratch.release(mark);
    }

    private void decode(FrozenWeight w, int from, int rows, Span to) {
        int width = w.columns();
        RowKernels.share(team, rows, (lane, first, count) -> {
            int group = Math.max(1, TILE / width);
            for (int done = 0; done < count; done += group) {
                int n = Math.min(group, count - done);
                decode(lane, w, from + first + done, n, to.from((long) (first + done) * width));
            }
        });
    }

    /** Decodes {@code count} rows from row {@code first} on. */
    private static void decode(Lane lane, FrozenWeight w, int first, int count, Span to) {
        int width = w.columns();
        float[] values = lane.tiles().floats(1, count * width);
        if (w instanceof BlockWeight blocks) {
            blocks.type().dequantize(blocks.address(), (long) first * width, values, 0, count * width);
        } else {
            for (int i = 0; i < count; i++) {
                w.readRow(first + i, values, i * width);
            }
        }
        ElementwiseKernels.write(lane, values, to, count * width);
    }
}
