package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.ScalingKernels;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.BinarySpec.Shape;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scaling of rows and columns, and the sums that are its gradients. Sums go over few rows in f32 and over these sums in
 * double, in an order that does not depend on the number of threads.
 */
final class OneDnnScaling implements ScalingKernels {
    /** Rows whose products are summed in f32. */
    private static final int ROWS = 16;

    private final ThreadTeam team;

    OneDnnScaling(ThreadTeam team) {
        this.team = team;
    }

    /** Whether the operands are such as oneDNN has something fast for. */
    private static boolean supports(INDArray x, INDArray v) {
        return v.dataType() == DataType.FLOAT && !NarrowRows.areNarrow(Arrays.columns(x));
    }

    @Override
    public void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        if (supports(x, v)) {
            scale(Shape.ROW, x, v, y, accumulate);
        } else {
            ScalingKernels.super.scaleColumns(x, v, y, accumulate);
        }
    }

    @Override
    public void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        if (supports(x, v)) {
            scale(Shape.COLUMN, x, v, y, accumulate);
        } else {
            ScalingKernels.super.scaleRows(x, v, y, accumulate);
        }
    }

    private void scale(Shape shape, INDArray x, INDArray v, INDArray y, boolean accumulate) {
        int width = Arrays.columns(x);
        Span xs = Span.of(x);
        Span vs = Span.of(v);
        Span ys = Span.of(y);
        RowBlocks.share(team, Arrays.rows(x), width, (lane, row, rows) -> {
            long mark = lane.scratch().mark();
            long at = (long) row * width;
            scale(lane, shape, xs.from(at), shape == Shape.ROW ? vs : vs.from(row), ys.from(at), accumulate, rows,
                    width);
            lane.scratch().release(mark);
        });
    }

    private static void scale(ThreadContext lane, Shape shape, Span x, Span v, Span y, boolean accumulate, int rows,
            int width) {
        Optional<CompiledCall> call = x.type() != y.type() ? Optional.empty() : lane.call(
                new BinarySpec(Operator.MULTIPLY, x.type(), DataType.FLOAT, shape, rows, width, accumulate));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), v.address(), y.address());
            return;
        }
        Span wideX = Vectors.widened(lane, x, rows * width);
        Span wideY = Vectors.result(lane, y, accumulate, rows * width);
        Vectors.required(lane, new BinarySpec(Operator.MULTIPLY, DataType.FLOAT, DataType.FLOAT, shape, rows, width,
                accumulate)).run(lane, wideX.address(), v.address(), wideY.address());
        Vectors.deliver(lane, wideY, y, rows * width);
    }

    @Override
    public void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        int width = Arrays.columns(a);
        int rows = Arrays.rows(a);
        Span as = Span.of(a);
        Span bs = Span.of(b);
        float[][] sums = new float[(rows + ROWS - 1) / ROWS][width];
        team.run(sums.length, (lane, task) -> {
            float[] left = lane.floats(1, width);
            float[] right = lane.floats(2, width);
            for (int i = task * ROWS; i < Math.min(rows, (task + 1) * ROWS); i++) {
                OneDnnElements.read(lane, as.from((long) i * width), left, width);
                OneDnnElements.read(lane, bs.from((long) i * width), right, width);
                addProducts(left, right, sums[task], width);
            }
        });
        double[] total = new double[width];
        for (float[] sum : sums) {
            for (int j = 0; j < width; j++) {
                total[j] += sum[j];
            }
        }
        store(total, v, accumulate);
    }

    private static void addProducts(float[] a, float[] b, float[] sum, int count) {
        for (int j = 0; j < count; j++) {
            sum[j] += a[j] * b[j];
        }
    }

    @Override
    public void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        int width = Arrays.columns(a);
        Span as = Span.of(a);
        Span bs = Span.of(b);
        double[] sums = new double[Arrays.rows(a)];
        RowBlocks.groups(team, sums.length, (lane, first, count) -> {
            float[] left = lane.floats(1, width);
            float[] right = lane.floats(2, width);
            for (int i = first; i < first + count; i++) {
                OneDnnElements.read(lane, as.from((long) i * width), left, width);
                OneDnnElements.read(lane, bs.from((long) i * width), right, width);
                sums[i] = lane.loops().dot(left, right, 0, width);
            }
        });
        store(sums, v, accumulate);
    }

    private static void store(double[] sums, INDArray v, boolean accumulate) {
        float[] values = accumulate ? Arrays.toFloats(v) : new float[sums.length];
        for (int j = 0; j < sums.length; j++) {
            values[j] = (float) (values[j] + sums[j]);
        }
        Arrays.write(v, 0, values, 0, values.length);
    }
}
