package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.NormKernels;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.BinarySpec.Shape;
import io.peft4j.onednn.MatmulSpec.Operand;
import io.peft4j.onednn.RowSpec.Kind;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * RMS norm. oneDNN has its forward but not its gradient. That of layer norm is
 * {@code rstd * (g - mean(g) - n * mean(g * n))} with {@code g = dy * weight} and {@code n = (x - mean) * rstd}. With a
 * mean of 0 and a variance of {@code 1 / rstd^2} it differs from RMS norm's by {@code rstd * mean(g)} alone, one number
 * a row. Loops through vectors, where there are any, need no such detour.
 */
final class OneDnnNorms implements NormKernels {
    private final ThreadTeam team;

    OneDnnNorms(ThreadTeam team) {
        this.team = team;
    }

    @Override
    public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        int width = Arrays.columns(x);
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        long w = Arrays.address(weight);
        long r = Arrays.address(rstd);
        boolean few = OneDnnElements.areFew(x.length()) && team.caller().loops().vectorized();
        if (few || NarrowRows.areNarrow(width)) {
            heapForward(xs, Arrays.toFloats(weight), epsilon, ys, r, Arrays.rows(x));
            return;
        }
        RowBlocks.share(team, Arrays.rows(x), width, (lane, row, rows) -> {
            long mark = lane.scratch().mark();
            Span squares = Span.scratch(lane, DataType.FLOAT, rows);
            forward(lane, xs.from((long) row * width), w, epsilon, ys.from((long) row * width), squares, rows, width);
            float[] values = lane.floats(1, rows);
            NativeMemory.read(squares.address(), values, 0, rows);
            for (int i = 0; i < rows; i++) {
                values[i] = (float) (1 / Math.sqrt((double) values[i] + epsilon));
            }
            NativeMemory.write(r + 4L * row, values, 0, rows);
            lane.scratch().release(mark);
        });
    }

    /** Few rows, for which the call of a primitive takes longer, or narrow ones by loops. */
    private void heapForward(Span x, float[] weight, float epsilon, Span y, long rstd, int count) {
        int width = weight.length;
        RowBlocks.tiles(team, count, width, (lane, row, rows) -> {
            float[] values = lane.floats(1, rows * width);
            float[] factors = lane.floats(2, rows);
            OneDnnElements.read(lane, x.from((long) row * width), values, rows * width);
            for (int i = 0; i < rows; i++) {
                factors[i] = lane.loops().rmsNorm(values, i * width, weight, epsilon);
            }
            OneDnnElements.write(lane, values, y.from((long) row * width), rows * width);
            NativeMemory.write(rstd + 4L * row, factors, 0, rows);
        });
    }

    private static void forward(ThreadContext lane, Span x, long weight, float epsilon, Span y, Span squares, int rows,
            int width) {
        Span unused = Span.scratch(lane, DataType.FLOAT, rows);
        Optional<CompiledCall> call = lane.call(new RowSpec(Kind.RMS_NORM, x.type(), y.type(), rows, width, epsilon));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), weight, y.address(), unused.address(), squares.address());
            return;
        }
        Span wideX = Vectors.widened(lane, x, rows * width);
        Span wideY = y.isFloat() ? y : Span.scratch(lane, DataType.FLOAT, (long) rows * width);
        Vectors.required(lane, new RowSpec(Kind.RMS_NORM, DataType.FLOAT, DataType.FLOAT, rows, width, epsilon))
                .run(lane, wideX.address(), weight, wideY.address(), unused.address(), squares.address());
        if (!y.isFloat()) {
            Vectors.convert(lane, wideY, y, rows * width);
        }
    }

    @Override
    public void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        int width = Arrays.columns(x);
        Span dys = Span.of(dy);
        Span xs = Span.of(x);
        Span dxs = Span.of(dx);
        float[] r = Arrays.toFloats(rstd);
        if (team.caller().loops().vectorized() || NarrowRows.areNarrow(width)) {
            heapBackward(dys, xs, Arrays.toFloats(weight), r, dxs, accumulate);
            return;
        }
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Span weights = Span.of(weight);
            Span twoWeights = Span.scratch(team.caller(), DataType.BFLOAT16, 2L * width);
            if (!dys.isFloat()) {
                writeSplit(Arrays.toFloats(weight), twoWeights);
            }
            RowBlocks.share(team, r.length, width, (lane, row, rows) -> {
                long mark = lane.scratch().mark();
                long at = (long) row * width;
                Span z = gradient(lane, dys.from(at), xs.from(at), weights, twoWeights, r, row, rows, width);
                if (accumulate) {
                    Vectors.binary(lane, Operator.ADD, dxs.from(at), z, dxs.from(at), false, rows * width);
                } else {
                    Vectors.convert(lane, z, dxs.from(at), rows * width);
                }
                lane.scratch().release(mark);
            });
        }
    }

    private void heapBackward(Span dy, Span x, float[] weight, float[] rstd, Span dx, boolean accumulate) {
        int width = weight.length;
        RowBlocks.tiles(team, rstd.length, width, (lane, row, rows) -> {
            int count = rows * width;
            long at = (long) row * width;
            float[] d = lane.floats(1, count);
            float[] u = lane.floats(2, count);
            OneDnnElements.read(lane, dy.from(at), d, count);
            OneDnnElements.read(lane, x.from(at), u, count);
            for (int i = 0; i < rows; i++) {
                lane.loops().rmsNormBackward(d, u, i * width, weight, rstd[row + i]);
            }
            if (accumulate) {
                OneDnnElements.read(lane, dx.from(at), u, count);
                OneDnnRows.add(u, d, count);
            }
            OneDnnElements.write(lane, d, dx.from(at), count);
        });
    }

    /** The gradient of a few rows in scratch memory, FLOAT. */
    private static Span gradient(ThreadContext lane, Span dy, Span x, Span weights, Span twoWeights, float[] rstd,
            int row,
            int rows, int width) {
        Span dw = Span.scratch(lane, DataType.FLOAT, width);
        Span z = layerNormGradient(lane, dy, x, weights, rstd, row, rows, width, dw);
        float[] shifts = lane.floats(1, 2 * rows);
        weightedSums(lane, dy, weights, twoWeights, shifts, rows, width);
        for (int i = 0; i < rows; i++) {
            shifts[i] *= rstd[row + i] / width;
        }
        Span column = Span.scratch(lane, DataType.FLOAT, rows);
        NativeMemory.write(column.address(), shifts, 0, rows);
        Vectors.required(lane, BinarySpec.floats(Operator.ADD, Shape.COLUMN, rows, width))
                .run(lane, z.address(), column.address(), z.address());
        return z;
    }

    private static Span layerNormGradient(ThreadContext lane, Span dy, Span x, Span weights, float[] rstd, int row,
            int rows,
            int width, Span dw) {
        Span mean = Span.scratch(lane, DataType.FLOAT, rows);
        NativeMemory.clear(mean.address(), 4L * rows);
        float[] variances = lane.floats(1, rows);
        for (int i = 0; i < rows; i++) {
            variances[i] = (float) (1 / ((double) rstd[row + i] * rstd[row + i]));
        }
        Span variance = Span.scratch(lane, DataType.FLOAT, rows);
        NativeMemory.write(variance.address(), variances, 0, rows);
        Span z = Span.scratch(lane, DataType.FLOAT, (long) rows * width);
        Span sameX = dy.type() == x.type() ? x : Vectors.widened(lane, x, rows * width);
        Span sameDy = dy.type() == x.type() ? dy : Vectors.widened(lane, dy, rows * width);
        Optional<CompiledCall> call = lane
                .call(RowSpec.of(Kind.LAYER_NORM_BACKWARD, sameX.type(), DataType.FLOAT, rows, width));
        if (call.isEmpty()) {
            sameX = Vectors.widened(lane, sameX, rows * width);
            sameDy = Vectors.widened(lane, sameDy, rows * width);
            call = Optional.of(Vectors.required(lane,
                    RowSpec.of(Kind.LAYER_NORM_BACKWARD, DataType.FLOAT, DataType.FLOAT, rows, width)));
        }
        call.get().run(lane, sameX.address(), sameDy.address(), weights.address(), mean.address(), variance.address(),
                z.address(), dw.address());
        return z;
    }

    /**
     * The weights as two BFLOAT16 rows whose sum has 16 bits: so a BFLOAT16 dy is multiplied without widening it.
     */
    private static void writeSplit(float[] weights, Span split) {
        short[] rows = new short[2 * weights.length];
        for (int i = 0; i < weights.length; i++) {
            rows[i] = BFloat16.fromFloat(weights[i]);
            rows[weights.length + i] = BFloat16.fromFloat(weights[i] - BFloat16.toFloat(rows[i]));
        }
        NativeMemory.write(split.address(), rows, 0, rows.length);
    }

    /** {@code sums[i] = sum over j of dy[i, j] * weight[j]}. */
    private static void weightedSums(ThreadContext lane, Span dy, Span weights, Span twoWeights, float[] sums, int rows,
            int width) {
        int columns = dy.isFloat() ? 1 : 2;
        Optional<CompiledCall> call = lane.call(product(dy.type(), rows, width, columns));
        Span b = dy.isFloat() ? weights : twoWeights;
        if (call.isEmpty()) {
            columns = 1;
            b = weights;
            dy = Vectors.widened(lane, dy, rows * width);
            call = Optional.of(Vectors.required(lane, product(DataType.FLOAT, rows, width, 1)));
        }
        Span products = Span.scratch(lane, DataType.FLOAT, (long) columns * rows);
        call.get().run(lane, dy.address(), b.address(), products.address());
        NativeMemory.read(products.address(), sums, 0, columns * rows);
        if (columns == 2) {
            for (int i = 0; i < rows; i++) {
                sums[i] = sums[2 * i] + sums[2 * i + 1];
            }
        }
    }

    private static MatmulSpec product(DataType type, int rows, int width, int columns) {
        return new MatmulSpec(Operand.rows(type, width), Operand.transposed(type, width),
                Operand.rows(DataType.FLOAT, columns), rows, width, columns, 1f, false);
    }

    @Override
    public void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        int width = Arrays.columns(x);
        int rows = Arrays.rows(x);
        Span dys = Span.of(dy);
        Span xs = Span.of(x);
        float[] r = Arrays.toFloats(rstd);
        int size = Math.max(16, (rows + 31) / 32);
        float[][] sums = new float[(rows + size - 1) / size][width];
        team.run(sums.length, (lane, task) -> {
            float[] dyRow = lane.floats(1, width);
            float[] xRow = lane.floats(2, width);
            float[] sum = sums[task];
            for (int i = task * size; i < Math.min(rows, (task + 1) * size); i++) {
                OneDnnElements.read(lane, dys.from((long) i * width), dyRow, width);
                OneDnnElements.read(lane, xs.from((long) i * width), xRow, width);
                float factor = r[i];
                for (int j = 0; j < width; j++) {
                    sum[j] += dyRow[j] * xRow[j] * factor;
                }
            }
        });
        float[] total = Arrays.toFloats(dw);
        for (float[] sum : sums) {
            for (int j = 0; j < width; j++) {
                total[j] += sum[j];
            }
        }
        Arrays.write(dw, 0, total, 0, width);
    }
}
