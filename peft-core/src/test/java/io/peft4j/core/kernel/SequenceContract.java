package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Short convolution and scans with a state. */
interface SequenceContract extends KernelsUnderTest {
    /** One row; short sequences beside one that fills several chunks; a prefix that three sequences share. */
    List<AttentionLayout> LAYOUTS = List.of(AttentionLayout.packed(1), AttentionLayout.packed(5, 1, 71, 2),
            new AttentionLayout(List.of(new Segment(0, 35, List.of(), 0, 0),
                    new Segment(35, 37, List.of(new Range(0, 35)), 35, 0),
                    new Segment(37, 77, List.of(new Range(0, 35)), 37, 0),
                    new Segment(77, 80, List.of(new Range(0, 35), new Range(37, 77)), 77, 0))));
    /** Key heads, value heads, Dk, Dv. */
    List<ScanShape> SCANS = List.of(new ScanShape(1, 1, 1, 1), new ScanShape(2, 4, 5, 7), new ScanShape(1, 3, 16, 8),
            new ScanShape(1, 1, 128, 96));

    @Test
    default void convolution() {
        for (AttentionLayout layout : LAYOUTS) {
            RowOrder order = RowOrder.of(layout);
            for (DataType xType : TYPES) {
                for (DataType yType : TYPES) {
                    for (int taps : new int[] {1, 3, 7}) {
                        checkConvolution(order, xType, yType, taps);
                    }
                }
            }
        }
    }

    private void checkConvolution(RowOrder order, DataType xType, DataType yType, int taps) {
        int width = 133;
        try (KernelCase c = new KernelCase(this, "convolution", order.rows(), xType, yType, taps)) {
            INDArray x = c.normal(xType, order.rows(), width);
            INDArray weight = c.normal(DataType.FLOAT, width, taps);
            Optional<INDArray> bias = Optional.of(c.normal(DataType.FLOAT, width));
            INDArray y = c.normal(yType, order.rows(), width);
            c.compare(k -> k.convolution(x, weight, bias, order, PieceStates.NONE, y), y);
            c.compare(k -> k.convolution(x, weight, Optional.empty(), order, PieceStates.NONE, y), y);
            INDArray dy = c.normal(yType, order.rows(), width);
            INDArray dx = c.normal(xType, order.rows(), width);
            c.compare(k -> k.convolutionBackward(dy, weight, order, dx, false), dx);
            c.compare(k -> k.convolutionBackward(dy, weight, order, dx, true), dx);
        }
    }

    @Test
    default void scan() {
        for (AttentionLayout layout : LAYOUTS) {
            for (ScanShape shape : SCANS) {
                for (DataType type : TYPES) {
                    for (boolean delta : new boolean[] {false, true}) {
                        checkScan(RowOrder.of(layout), shape, type, delta);
                    }
                }
            }
        }
    }

    private void checkScan(RowOrder order, ScanShape shape, DataType type, boolean delta) {
        try (KernelCase c = new KernelCase(this, "scan", order.rows(), shape, type, delta)) {
            // Sums over many rows of products that were rounded one by one, in another order.
            c.loosened(4);
            ScanInputs inputs = inputs(c, order.rows(), shape, type, delta);
            INDArray y = c.normal(type, order.rows(), shape.valueColumns());
            c.compare(k -> k.scan(shape, inputs, order, PieceStates.NONE, y), y);
            INDArray dy = c.normal(type, order.rows(), shape.valueColumns());
            ScanInputs gradients = inputs(c, order.rows(), shape, type, delta);
            List<INDArray> results = new ArrayList<>(List.of(gradients.queries(), gradients.keys(), gradients.values(),
                    gradients.decay()));
            gradients.rate().ifPresent(results::add);
            c.compare(k -> k.scanBackward(dy, shape, inputs, order, gradients), results.toArray(INDArray[]::new));
        }
    }

    /** Keys of length about 1, decays below 0 and rates from 0 to 1, as networks have them. */
    private static ScanInputs inputs(KernelCase c, int rows, ScanShape shape, DataType type, boolean delta) {
        INDArray decay = c.normal(DataType.FLOAT, rows, shape.valueHeads());
        INDArray rate = c.normal(DataType.FLOAT, rows, shape.valueHeads());
        float[] values = Arrays.toFloats(decay);
        float[] rates = Arrays.toFloats(rate);
        for (int i = 0; i < values.length; i++) {
            values[i] = -0.3f * Math.abs(values[i]);
            rates[i] = (float) (1 / (1 + Math.exp(-rates[i])));
        }
        Arrays.write(decay, 0, values, 0, values.length);
        Arrays.write(rate, 0, rates, 0, rates.length);
        double unit = 1 / Math.sqrt(shape.keySize());
        return new ScanInputs(c.scaled(type, unit, rows, shape.keyColumns()),
                c.scaled(type, unit, rows, shape.keyColumns()), c.normal(type, rows, shape.valueColumns()), decay,
                delta ? Optional.of(rate) : Optional.empty());
    }

    /** Whatever pieces a sequence is computed in, the results are those of the whole. */
    @Test
    default void piecesOfAnyLengthGoOnWhereTheOnesBeforeEnded() {
        ScanShape shape = new ScanShape(2, 4, 6, 5);
        int rows = 75;
        int taps = 4;
        try (KernelCase c = new KernelCase(this, "pieces")) {
            ScanInputs inputs = inputs(c, rows, shape, DataType.FLOAT, true);
            INDArray weight = c.normal(DataType.FLOAT, shape.valueColumns(), taps);
            INDArray y = c.normal(DataType.FLOAT, rows, shape.valueColumns());
            INDArray convolved = c.normal(DataType.FLOAT, rows, shape.valueColumns());
            RowOrder whole = RowOrder.of(AttentionLayout.packed(rows));
            kernels().scan(shape, inputs, whole, PieceStates.NONE, y);
            kernels().convolution(inputs.values(), weight, Optional.empty(), whole, PieceStates.NONE, convolved);
            for (int length : new int[] {1, 2, 5, 31, 40}) {
                Optional<INDArray> state = Optional.empty();
                Optional<INDArray> tail = Optional.empty();
                for (int from = 0; from < rows; from += length) {
                    int to = Math.min(rows, from + length);
                    RowOrder piece = RowOrder.of(AttentionLayout.packed(to - from));
                    INDArray after = c.normal(DataType.FLOAT, shape.valueHeads() * shape.keySize(), shape.valueSize());
                    INDArray tailAfter = c.normal(DataType.FLOAT, taps - 1, shape.valueColumns());
                    INDArray part = c.normal(DataType.FLOAT, to - from, shape.valueColumns());
                    kernels().scan(shape, rows(inputs, from, to), piece, new PieceStates(List.of(state),
                            List.of(after)), part);
                    KernelCase.assertClose("scan from " + from + " by " + length, rows(y, from, to),
                            Arrays.toFloats(part), 1e-5);
                    kernels().convolution(Arrays.rowRange(inputs.values(), from, to), weight, Optional.empty(), piece,
                            new PieceStates(List.of(tail), List.of(tailAfter)), part);
                    assertArrayEquals(rows(convolved, from, to), Arrays.toFloats(part), 1e-5f);
                    state = Optional.of(after);
                    tail = Optional.of(tailAfter);
                }
            }
        }
    }

    @Test
    default void argumentsOfSequencesThatDoNotFit() {
        RowOrder order = RowOrder.of(AttentionLayout.packed(3, 2));
        ScanShape shape = new ScanShape(1, 2, 3, 4);
        try (KernelCase c = new KernelCase(this, "bad sequences")) {
            INDArray x = c.normal(DataType.FLOAT, 5, 8);
            INDArray y = c.normal(DataType.FLOAT, 5, 8);
            INDArray weight = c.normal(DataType.FLOAT, 8, 3);
            INDArray few = c.normal(DataType.FLOAT, 4, 8);
            Optional<INDArray> none = Optional.empty();
            refused("convolution", k -> k.convolution(few, weight, none, order, PieceStates.NONE, few));
            refused("convolution", k -> k.convolution(x, x, none, order, PieceStates.NONE, y));
            refused("convolution", k -> k.convolution(x, weight, none, order, PieceStates.NONE, x));
            refused("convolution", k -> k.convolution(x, weight, none, order, new PieceStates(List.of(), List.of(few)),
                    y));
            refused("convolutionBackward", k -> k.convolutionBackward(x, weight, order, few, false));
            ScanInputs inputs = inputs(c, 5, shape, DataType.FLOAT, true);
            ScanInputs plain = inputs(c, 5, shape, DataType.FLOAT, false);
            refused("scan", k -> k.scan(shape, inputs, order, PieceStates.NONE, few));
            refused("scan", k -> k.scan(shape, inputs, order, PieceStates.NONE, inputs.values()));
            refused("scan", k -> k.scan(new ScanShape(1, 2, 4, 4), inputs, order, PieceStates.NONE, y));
            refused("scan", k -> k.scan(shape, inputs, order, new PieceStates(List.of(), List.of(y, x)), y));
            refused("scanBackward", k -> k.scanBackward(x, shape, inputs, order, plain));
            refused("scanBackward", k -> k.scanBackward(x, shape, inputs, order, inputs));
        }
    }

    private void refused(String operation, Consumer<Kernels> call) {
        String message = assertThrows(IllegalArgumentException.class, () -> call.accept(kernels())).getMessage();
        assertTrue(message.startsWith(operation + ":"), message);
    }

    private static float[] rows(INDArray x, int from, int to) {
        return Arrays.toFloats(Arrays.rowRange(x, from, to));
    }

    private static ScanInputs rows(ScanInputs inputs, int from, int to) {
        return new ScanInputs(Arrays.rowRange(inputs.queries(), from, to), Arrays.rowRange(inputs.keys(), from, to),
                Arrays.rowRange(inputs.values(), from, to), Arrays.rowRange(inputs.decay(), from, to),
                inputs.rate().map(rate -> Arrays.rowRange(rate, from, to)));
    }
}
