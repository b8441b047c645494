package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.LossKernels;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.BinarySpec.Shape;
import io.peft4j.onednn.RowSpec.Kind;
import io.peft4j.onednn.UnarySpec.Function;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Cross-entropy, in blocks of rows that lie in the second-level cache. Everything but the sums is computed in f32.
 */
final class OneDnnLosses implements LossKernels {
    private static final int PIECE = 512;

    private final ThreadTeam team;

    OneDnnLosses(ThreadTeam team) {
        this.team = team;
    }

    @Override
    public void crossEntropy(INDArray logits, int[] targets, float[] nll, boolean[] hits) {
        int width = Arrays.columns(logits);
        if (NarrowRows.areNarrow(width)) {
            float[] x = Arrays.toFloats(logits);
            for (int i = 0; i < targets.length; i++) {
                nll[i] = (float) (NarrowRows.logSumExp(x, i * width, width) - x[i * width + targets[i]]);
                hits[i] = NarrowRows.max(x, i * width, width) <= x[i * width + targets[i]];
            }
            return;
        }
        Span all = Span.of(logits);
        RowBlocks.share(team, targets.length, width, (lane, first, rows) -> {
            long mark = lane.scratch().mark();
            Span x = Vectors.widened(lane, all.from((long) first * width), rows * width);
            Span e = Span.scratch(lane, DataType.FLOAT, (long) rows * width);
            losses(lane, x, e, first, rows, width, new Targets(targets, nll, hits));
            lane.scratch().release(mark);
        });
    }

    /** The targets of all rows, and where their losses and hits go. */
    private record Targets(int[] ids, float[] nll, boolean[] hits) {
    }

    /**
     * Writes the losses of a few rows, and {@code exp(x - max)} to e, which may be x.
     *
     * @return the sums of e's rows
     */
    private static double[] losses(ThreadContext lane, Span x, Span e, int first, int rows, int width,
            Targets targets) {
        float[] nll = targets.nll;
        Span column = Span.scratch(lane, DataType.FLOAT, rows);
        Vectors.required(lane, RowSpec.of(Kind.MAX, DataType.FLOAT, DataType.FLOAT, rows, width))
                .run(lane, x.address(), column.address());
        float[] values = lane.floats(1, 2 * rows);
        NativeMemory.read(column.address(), values, 0, rows);
        for (int i = 0; i < rows; i++) {
            NativeMemory.read(x.address() + 4 * ((long) i * width + targets.ids[first + i]), values, rows + i, 1);
            nll[first + i] = values[i] - values[rows + i];
            targets.hits[first + i] = values[rows + i] >= values[i];
        }
        Vectors.required(lane, BinarySpec.floats(Operator.SUBTRACT, Shape.COLUMN, rows, width))
                .run(lane, x.address(), column.address(), e.address());
        Vectors.unary(lane, Function.EXP, e, e, rows * width);
        double[] sums = new double[rows];
        for (int i = 0; i < rows; i++) {
            sums[i] = sum(lane, e.from((long) i * width), width);
            nll[first + i] = (float) (nll[first + i] + Math.log(sums[i]));
        }
        return sums;
    }

    /**
     * The sum of a row: floats over short pieces, then doubles. One sum of floats over a vocabulary of 150,000 loses
     * its small terms and makes a loss 7e-6 too low.
     */
    private static double sum(ThreadContext lane, Span row, int width) {
        long mark = lane.scratch().mark();
        int pieces = width / PIECE;
        int rest = width - pieces * PIECE;
        float[] values = lane.floats(2, pieces + rest);
        if (pieces > 0) {
            Span sums = Span.scratch(lane, DataType.FLOAT, pieces);
            Vectors.required(lane, RowSpec.of(Kind.SUM, DataType.FLOAT, DataType.FLOAT, pieces, PIECE))
                    .run(lane, row.address(), sums.address());
            NativeMemory.read(sums.address(), values, 0, pieces);
        }
        NativeMemory.read(row.from((long) pieces * PIECE).address(), values, pieces, rest);
        double sum = 0;
        for (int i = 0; i < pieces + rest; i++) {
            sum += values[i];
        }
        lane.scratch().release(mark);
        return sum;
    }

    @Override
    public void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        crossEntropyGradient(logits, targets, weights, new float[targets.length], new boolean[targets.length]);
    }

    private static void narrowBackward(INDArray logits, int[] targets, float[] weights) {
        int width = Arrays.columns(logits);
        float[] x = Arrays.toFloats(logits);
        for (int i = 0; i < targets.length; i++) {
            NarrowRows.crossEntropyBackward(x, i * width, width, targets[i], weights[i]);
        }
        Arrays.write(logits, 0, x, 0, x.length);
    }

    /** The losses, and their gradient over the logits: the exponentials serve both. */
    @Override
    public void crossEntropyGradient(INDArray logits, int[] targets, float[] weights, float[] nll, boolean[] hits) {
        int width = Arrays.columns(logits);
        if (NarrowRows.areNarrow(width)) {
            crossEntropy(logits, targets, nll, hits);
            narrowBackward(logits, targets, weights);
            return;
        }
        Span all = Span.of(logits);
        RowBlocks.share(team, targets.length, width, (lane, first, rows) -> {
            long mark = lane.scratch().mark();
            Span x = all.from((long) first * width);
            Span e = Vectors.widened(lane, x, rows * width);
            double[] sums = losses(lane, e, e, first, rows, width, new Targets(targets, nll, hits));
            float[] values = lane.floats(1, rows);
            for (int i = 0; i < rows; i++) {
                values[i] = (float) (weights[first + i] / sums[i]);
            }
            Span column = Span.scratch(lane, DataType.FLOAT, rows);
            NativeMemory.write(column.address(), values, 0, rows);
            Vectors.required(lane, BinarySpec.floats(Operator.MULTIPLY, Shape.COLUMN, rows, width))
                    .run(lane, e.address(), column.address(), e.address());
            for (int i = 0; i < rows; i++) {
                long target = e.address() + 4 * ((long) i * width + targets[first + i]);
                NativeMemory.read(target, values, 0, 1);
                values[0] -= weights[first + i];
                NativeMemory.write(target, values, 0, 1);
            }
            Vectors.deliver(lane, e, x, rows * width);
            lane.scratch().release(mark);
        });
    }
}
