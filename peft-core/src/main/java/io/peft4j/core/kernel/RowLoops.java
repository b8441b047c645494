package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The operations of {@link Nd4jKernels} on rows: biases, chosen rows and columns, softmax, RMS norm, rotary embedding
 * and cross-entropy.
 */
final class RowLoops implements RowKernels, NormKernels, RotaryKernels, LossKernels {
    /** Columns that a sum over rows takes at a time. */
    private static final int COLUMNS = 256;

    private final Workers<ThreadScratch> workers;

    RowLoops(Workers<ThreadScratch> workers) {
        this.workers = workers;
    }

    /** Adds up rows for some columns: leaves in {@code sums} what is to be written. */
    @FunctionalInterface
    private interface ColumnTask {
        void run(int from, int count, float[] sums, ThreadScratch lane);
    }

    /** Sums over all rows, a range of columns at a time, so that no partial sums have to be joined. */
    private void forColumns(int width, Elements target, boolean accumulate, ColumnTask task) {
        workers.run((width + COLUMNS - 1) / COLUMNS, (lane, part) -> {
            int from = part * COLUMNS;
            int count = Math.min(COLUMNS, width - from);
            float[] sums = lane.tile(0);
            java.util.Arrays.fill(sums, 0, count, 0);
            task.run(from, count, sums, lane);
            target.write(from, sums, count, accumulate, lane, 1);
        });
    }

    @Override
    public void addBias(INDArray y, INDArray bias) {
        float[] b = Arrays.toFloats(bias);
        Elements.computeRows(workers, y, false, (row, lane) -> RowMath.add(lane.floats(0, b.length), b, b.length), y);
    }

    @Override
    public void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        Elements dys = Elements.of(dy);
        int rows = Arrays.rows(dy);
        int width = Arrays.columns(dy);
        forColumns(width, Elements.of(db), accumulate, (from, count, sums, lane) -> {
            float[] d = lane.tile(2);
            for (int i = 0; i < rows; i++) {
                dys.read((long) i * width + from, d, count, lane);
                RowMath.add(sums, d, count);
            }
        });
    }

    @Override
    public void gather(FrozenWeight table, int[] ids, INDArray y) {
        WeightReader reader = WeightReader.of(table);
        Elements ys = Elements.of(y);
        int width = table.columns();
        Elements.forRows(workers, ids.length, width, (row, lane) -> {
            float[] u = lane.floats(0, width);
            reader.read(ids[row], 0, width, u, lane);
            ys.write((long) row * width, u, width, lane);
        });
    }

    @Override
    public void gatherRows(INDArray x, int[] rows, INDArray y) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        int width = Arrays.columns(x);
        Elements.forRows(workers, rows.length, width, (row, lane) -> {
            float[] u = lane.floats(0, width);
            xs.read((long) rows[row] * width, u, width, lane);
            ys.write((long) row * width, u, width, lane);
        });
    }

    /** Sorts the chosen rows, so that one which was chosen twice is summed by one thread, in order. */
    @Override
    public void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx) {
        Elements dys = Elements.of(dy);
        Elements dxs = Elements.of(dx);
        int width = Arrays.columns(dx);
        int[] order = sortedByRow(rows, Arrays.rows(dx));
        int piece = Elements.rowsOfATask(width);
        workers.run((rows.length + piece - 1) / piece, (lane, part) -> {
            int i = part * piece;
            while (i > 0 && i < order.length && rows[order[i]] == rows[order[i - 1]]) {
                i++;
            }
            while (i < Math.min(order.length, (part + 1) * piece)) {
                int row = rows[order[i]];
                float[] u = lane.floats(0, width);
                float[] d = lane.floats(1, width);
                dxs.read((long) row * width, u, width, lane);
                for (; i < order.length && rows[order[i]] == row; i++) {
                    dys.read((long) order[i] * width, d, width, lane);
                    RowMath.add(u, d, width);
                }
                dxs.write((long) row * width, u, width, lane);
            }
        });
    }

    /** The indices of {@code rows} in the order of the rows they hold, equal ones in their old order. */
    private static int[] sortedByRow(int[] rows, int bound) {
        int[] ends = new int[bound + 1];
        for (int row : rows) {
            ends[row + 1]++;
        }
        for (int i = 1; i <= bound; i++) {
            ends[i] += ends[i - 1];
        }
        int[] order = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            order[ends[rows[i]]++] = i;
        }
        return order;
    }

    @Override
    public void copyColumns(INDArray x, int fromX, INDArray y, int fromY, int count, boolean accumulate) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        int widthX = Arrays.columns(x);
        int widthY = Arrays.columns(y);
        Elements.forRows(workers, Arrays.rows(x), Math.max(1, count), (row, lane) -> {
            float[] u = lane.floats(0, count);
            xs.read((long) row * widthX + fromX, u, count, lane);
            ys.write((long) row * widthY + fromY, u, count, accumulate, lane, 1);
        });
    }

    @Override
    public void softmax(INDArray x, INDArray y) {
        int width = Arrays.columns(x);
        Elements.computeRows(workers, y, false, (row, lane) -> {
            float[] u = lane.floats(0, width);
            double sum = lane.loops().exponentials(u, 0, width, lane.loops().max(u, 0, width));
            RowMath.scale(u, (float) (1 / sum), 0, width);
        }, x);
    }

    @Override
    public void softmaxBackward(INDArray dy, INDArray y, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(y);
        Elements.computeRows(workers, dx, accumulate, (row, lane) -> {
            float[] d = lane.floats(0, width);
            float[] u = lane.floats(1, width);
            float dot = (float) lane.loops().dot(d, u, 0, width);
            for (int j = 0; j < width; j++) {
                d[j] = u[j] * (d[j] - dot);
            }
        }, dy, y);
    }

    @Override
    public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        float[] w = Arrays.toFloats(weight);
        float[] r = new float[Arrays.rows(x)];
        Elements.computeRows(workers, y, false,
                (row, lane) -> r[row] = lane.loops().rmsNorm(lane.floats(0, w.length), 0, w, epsilon), x);
        Arrays.write(rstd, 0, r, 0, r.length);
    }

    @Override
    public void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        float[] w = Arrays.toFloats(weight);
        float[] r = Arrays.toFloats(rstd);
        Elements.computeRows(workers, dx, accumulate, (row, lane) -> lane.loops()
                .rmsNormBackward(lane.floats(0, w.length), lane.floats(1, w.length), 0, w, r[row]), dy, x);
    }

    @Override
    public void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        Elements dys = Elements.of(dy);
        Elements xs = Elements.of(x);
        float[] r = Arrays.toFloats(rstd);
        int width = Arrays.columns(x);
        forColumns(width, Elements.of(dw), true, (from, count, sums, lane) -> {
            float[] d = lane.tile(2);
            float[] u = lane.tile(3);
            for (int i = 0; i < r.length; i++) {
                dys.read((long) i * width + from, d, count, lane);
                xs.read((long) i * width + from, u, count, lane);
                addProduct(sums, d, u, r[i], count);
            }
        });
    }

    private static void addProduct(float[] sums, float[] d, float[] u, float r, int count) {
        for (int i = 0; i < count; i++) {
            sums[i] += d[i] * u[i] * r;
        }
    }

    @Override
    public void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        int width = Arrays.columns(x);
        int half = table.half();
        float sign = inverse ? -1 : 1;
        Elements.computeRows(workers, x, false, (row, lane) -> {
            float[] u = lane.floats(0, width);
            int angles = positions[row] * half;
            for (int head = 0; head < width; head += headSize) {
                if (table.neighbours()) {
                    table.rotateNeighbours(u, head, positions[row], sign);
                } else {
                    lane.loops().rotate(u, head, half, table.cosines(), table.sines(), angles, sign);
                }
            }
        }, x);
    }

    @Override
    public void crossEntropy(INDArray logits, int[] targets, float[] nll, boolean[] hits) {
        Elements values = Elements.of(logits);
        int width = Arrays.columns(logits);
        Elements.forRows(workers, targets.length, width, (row, lane) -> {
            float[] u = lane.floats(0, width);
            values.read((long) row * width, u, width, lane);
            float target = u[targets[row]];
            float max = lane.loops().max(u, 0, width);
            nll[row] = (float) (Math.log(lane.loops().exponentials(u, 0, width, max)) + max - target);
            hits[row] = target >= max;
        });
    }

    @Override
    public void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        int width = Arrays.columns(logits);
        Elements.computeRows(workers, logits, false, (row, lane) -> {
            float[] u = lane.floats(0, width);
            double sum = lane.loops().exponentials(u, 0, width, lane.loops().max(u, 0, width));
            RowMath.scale(u, (float) (weights[row] / sum), 0, width);
            u[targets[row]] -= weights[row];
        }, logits);
    }
}
