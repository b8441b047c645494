package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.RowKernels;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.onednn.BinarySpec.Operator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on rows in loops of our own: biases, chosen rows and columns, softmax of rows. */
final class OneDnnRows implements RowKernels {
    private static final int ROWS = RowBlocks.GROUP;
    private static final int SHORT = 16;
    private static final int MOST_IN_HEAP = 1 << 20;

    private final ThreadTeam team;

    OneDnnRows(ThreadTeam team) {
        this.team = team;
    }

    @Override
    public void addBias(INDArray y, INDArray bias) {
        int width = Arrays.columns(y);
        float[] b = Arrays.toFloats(bias);
        Span ys = Span.of(y);
        RowBlocks.groups(team, Arrays.rows(y), (lane, first, count) -> {
            float[] row = lane.floats(1, width);
            for (int i = first; i < first + count; i++) {
                Span span = ys.from((long) i * width);
                OneDnnElements.read(lane, span, row, width);
                for (int j = 0; j < width; j++) {
                    row[j] += b[j];
                }
                OneDnnElements.write(lane, row, span, width);
            }
        });
    }

    @Override
    public void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        int width = Arrays.columns(dy);
        float[] total = sumOfRows(dy, width);
        if (accumulate) {
            float[] old = Arrays.toFloats(db);
            for (int j = 0; j < width; j++) {
                total[j] += old[j];
            }
        }
        Arrays.write(db, 0, total, 0, width);
    }

    /** Sums of groups of rows, then the sum of these in order: the same bits whichever thread has which group. */
    private float[] sumOfRows(INDArray dy, int width) {
        int rows = Arrays.rows(dy);
        int size = Math.max(ROWS, (rows + 31) / 32);
        float[][] sums = new float[(rows + size - 1) / size][width];
        Span dys = Span.of(dy);
        team.run(sums.length, (lane, task) -> {
            float[] row = lane.floats(1, width);
            float[] sum = sums[task];
            for (int i = task * size; i < Math.min(rows, (task + 1) * size); i++) {
                OneDnnElements.read(lane, dys.from((long) i * width), row, width);
                add(row, sum, width);
            }
        });
        float[] total = new float[width];
        for (float[] sum : sums) {
            add(sum, total, width);
        }
        return total;
    }

    /** {@code sum = sum + x}. */
    static void add(float[] x, float[] sum, int count) {
        for (int j = 0; j < count; j++) {
            sum[j] += x[j];
        }
    }

    @Override
    public void gather(FrozenWeight table, int[] ids, INDArray y) {
        if (table instanceof DenseWeight dense) {
            gatherRows(dense.values(), ids, y);
            return;
        }
        int width = table.columns();
        Span ys = Span.of(y);
        RowBlocks.groups(team, ids.length, (lane, first, count) -> {
            float[] row = lane.floats(1, width);
            for (int i = first; i < first + count; i++) {
                table.readRow(ids[i], row, 0);
                OneDnnElements.write(lane, row, ys.from((long) i * width), width);
            }
        });
    }

    /** Whether the rows are so short, and so few, that a loop over a heap copy is faster than a call for each. */
    private static boolean areShort(INDArray x) {
        return Arrays.columns(x) < SHORT && x.length() <= MOST_IN_HEAP;
    }

    @Override
    public void gatherRows(INDArray x, int[] rows, INDArray y) {
        int width = Arrays.columns(x);
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        if (areShort(x)) {
            team.alone((lane, unused) -> {
                float[] all = lane.floats(1, (int) x.length());
                float[] taken = lane.floats(2, rows.length * width);
                OneDnnElements.read(lane, xs, all, (int) x.length());
                for (int i = 0; i < rows.length; i++) {
                    System.arraycopy(all, rows[i] * width, taken, i * width, width);
                }
                OneDnnElements.write(lane, taken, ys, rows.length * width);
            });
            return;
        }
        RowBlocks.groups(team, rows.length, (lane, first, count) -> {
            for (int i = first; i < first + count; i++) {
                Vectors.convert(lane, xs.from((long) rows[i] * width), ys.from((long) i * width), width);
            }
        });
    }

    /** Rows that are taken more than once are summed in f32, in the order of their index. */
    @Override
    public void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        int width = Arrays.columns(dx);
        Span dys = Span.of(dy);
        Span dxs = Span.of(dx);
        if (areShort(dx)) {
            team.alone((lane, unused) -> {
                float[] all = lane.floats(1, (int) dx.length());
                float[] added = lane.floats(2, rows.length * width);
                OneDnnElements.read(lane, dxs, all, (int) dx.length());
                OneDnnElements.read(lane, dys, added, rows.length * width);
                for (int i = 0; i < rows.length * width; i++) {
                    all[rows[i / width] * width + i % width] += added[i];
                }
                OneDnnElements.write(lane, all, dxs, (int) dx.length());
            });
            return;
        }
        int[] order = IntStream.range(0, rows.length).mapToLong(i -> (long) rows[i] << Integer.SIZE | i).sorted()
                .mapToInt(rowAndIndex -> (int) rowAndIndex).toArray();
        int[] starts = IntStream.range(0, order.length)
                .filter(i -> i == 0 || rows[order[i]] != rows[order[i - 1]]).toArray();
        RowBlocks.groups(team, starts.length, (lane, first, count) -> {
            float[] sum = lane.floats(1, width);
            float[] row = lane.floats(2, width);
            for (int group = first; group < first + count; group++) {
                Span target = dxs.from((long) rows[order[starts[group]]] * width);
                int end = group + 1 < starts.length ? starts[group + 1] : order.length;
                if (end == starts[group] + 1) {
                    Vectors.binary(lane, Operator.ADD, target, dys.from((long) order[starts[group]] * width), target,
                            false, width);
                    continue;
                }
                OneDnnElements.read(lane, target, sum, width);
                for (int i = starts[group]; i < end; i++) {
                    OneDnnElements.read(lane, dys.from((long) order[i] * width), row, width);
                    add(row, sum, width);
                }
                OneDnnElements.write(lane, sum, target, width);
            }
        });
    }

    @Override
    public void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count, boolean accumulate) {
        int widthX = Arrays.columns(x);
        int widthY = Arrays.columns(y);
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        RowBlocks.groups(team, Arrays.rows(x), (lane, first, rows) -> {
            float[] sum = lane.floats(1, count);
            float[] row = lane.floats(2, count);
            for (int i = first; i < first + rows; i++) {
                Span from = xs.from((long) i * widthX + fromX);
                Span to = ys.from((long) i * widthY + fromY);
                if (accumulate) {
                    OneDnnElements.read(lane, to, sum, count);
                    OneDnnElements.read(lane, from, row, count);
                    add(row, sum, count);
                    OneDnnElements.write(lane, sum, to, count);
                } else {
                    Vectors.convert(lane, from, to, count);
                }
            }
        });
    }

    @Override
    public void softmax(INDArray x, INDArray y) {
        int width = Arrays.columns(x);
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        RowBlocks.groups(team, Arrays.rows(x), (lane, first, count) -> {
            float[] row = lane.floats(1, width);
            for (int i = first; i < first + count; i++) {
                OneDnnElements.read(lane, xs.from((long) i * width), row, width);
                double sum = lane.loops().exponentials(row, 0, width, lane.loops().max(row, 0, width));
                float factor = (float) (1 / sum);
                for (int j = 0; j < width; j++) {
                    row[j] *= factor;
                }
                OneDnnElements.write(lane, row, ys.from((long) i * width), width);
            }
        });
    }

    @Override
    public void softmaxBackward(INDArray dy, INDArray y, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(y);
        Span dys = Span.of(dy);
        Span ys = Span.of(y);
        Span dxs = Span.of(dx);
        RowBlocks.groups(team, Arrays.rows(y), (lane, first, count) -> {
            float[] p = lane.floats(1, width);
            float[] d = lane.floats(2, width);
            for (int i = first; i < first + count; i++) {
                OneDnnElements.read(lane, ys.from((long) i * width), p, width);
                OneDnnElements.read(lane, dys.from((long) i * width), d, width);
                float dot = (float) lane.loops().dot(d, p, 0, width);
                for (int j = 0; j < width; j++) {
                    d[j] = p[j] * (d[j] - dot);
                }
                if (accumulate) {
                    OneDnnElements.read(lane, dxs.from((long) i * width), p, width);
                    add(p, d, width);
                }
                OneDnnElements.write(lane, d, dxs.from((long) i * width), width);
            }
        });
    }
}
