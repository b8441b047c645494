package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on sequences for any implementation of {@link Kernels}, over rows that are copied to the heap. */
@Internal(shared = true)
public final class SequenceLoops implements SequenceKernels {
    /** Columns of a task of a convolution. */
    private static final int COLUMNS = 512;

    private final Workers<?> workers;

    /** Loops on the given threads. */
    public SequenceLoops(Workers<?> workers) {
        this.workers = workers;
    }

    @Override
    public void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y) {
        int width = Arrays.columns(x);
        float[] weights = Arrays.toFloats(weight);
        float[] biases = bias.map(Arrays::toFloats).orElseGet(() -> new float[width]);
        SmallPieces xs = SmallPieces.of(x);
        SmallPieces ys = SmallPieces.of(y);
        workers.run(blocks(width),
                (lane, task) -> new ConvolutionColumns(width, task * COLUMNS, COLUMNS, weights, order)
                        .forward(xs, biases, states, ys, lane));
    }

    @Override
    public void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx, boolean accumulate) {
        int width = Arrays.columns(dy);
        float[] weights = Arrays.toFloats(weight);
        SmallPieces dys = SmallPieces.of(dy);
        SmallPieces dxs = SmallPieces.of(dx);
        workers.run(blocks(width),
                (lane, task) -> new ConvolutionColumns(width, task * COLUMNS, COLUMNS, weights, order)
                        .backward(dys, dxs, accumulate, lane));
    }

    private static int blocks(int width) {
        return (width + COLUMNS - 1) / COLUMNS;
    }

    @Override
    public void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y) {
        new ScanLoops(shape, inputs, order).forward(workers, states, y);
    }

    @Override
    public void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients) {
        new ScanLoops(shape, inputs, order).backward(workers, dy, gradients);
    }
}
