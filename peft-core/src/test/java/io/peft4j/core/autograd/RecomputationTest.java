package io.peft4j.core.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Values that are dropped and computed again: the same bits in less memory. */
class RecomputationTest {
    private static final int ROWS = 3;
    private static final int WIDTH = 16;
    private static final int LAYERS = 6;
    /** Bytes of one activation, a multiple of the arena's alignment. */
    private static final long ACTIVATION = 4L * ROWS * WIDTH;
    /** Bytes of the scales that a norm keeps for its gradient, one a row. */
    private static final long SCALES = 64;

    /** A way to run a part of the model. */
    private interface Way {
        Variable run(Tape tape, Variable x, UnaryOperator<Variable> part);
    }

    private static final Way PLAIN = (tape, x, part) -> part.apply(x);
    private static final Way BLOCK = Tape::block;
    private static final Way NARROW = Tape::narrowBlock;
    private static final Way CHECKPOINT = Tape::checkpoint;

    private final Random random = new Random(1);
    private final NaiveKernels kernels = new NaiveKernels();
    private final Arena arena = new Arena();
    private final List<INDArray> arrays = new ArrayList<>();
    private final INDArray input = normal(ROWS, WIDTH);
    private final INDArray dy = normal(ROWS, WIDTH);
    private final INDArray norm = normal(WIDTH);
    private final DenseWeight weight = new DenseWeight(normal(WIDTH, WIDTH));
    private final List<Parameter> parameters = new ArrayList<>();
    private long kept;

    private INDArray normal(long... shape) {
        INDArray array = Arrays.zeros(DataType.FLOAT, shape);
        float[] values = new float[(int) array.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Arrays.write(array, 0, values, 0, values.length);
        arrays.add(array);
        return array;
    }

    @AfterEach
    void close() {
        assertEquals(0, arena.liveBytes(), "the tape has not given everything back");
        arena.close();
        parameters.forEach(Parameter::close);
        arrays.forEach(INDArray::close);
    }

    /** All gradients of a stack of layers, each with a trained matrix, an embedding-like input below. */
    private float[] gradients(Way way, boolean trainedInput) {
        if (parameters.isEmpty()) {
            for (int i = 0; i <= LAYERS; i++) {
                INDArray value = Arrays.zeros(DataType.FLOAT, WIDTH, WIDTH);
                float[] values = Arrays.toFloats(i == 0 ? value : normal(WIDTH, WIDTH));
                Arrays.write(value, 0, values, 0, values.length);
                parameters.add(new Parameter("p" + i, value));
            }
        }
        parameters.forEach(Parameter::clearGradient);
        try (Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable x = ElementwiseOps.scale(tape, tape.constant(input), 1);
            if (trainedInput) {
                x = ElementwiseOps.addInto(tape, tape.constant(input),
                        MatrixOps.matmulTransposed(tape, x, tape.parameter(parameters.get(0))));
            }
            for (int i = 1; i <= LAYERS; i++) {
                Parameter trained = parameters.get(i);
                x = way.run(tape, x, h -> layer(tape, h, trained));
            }
            kept = arena.liveBytes();
            tape.backward(x, dy);
        }
        float[] all = new float[(LAYERS + 1) * WIDTH * WIDTH];
        for (int i = trainedInput ? 0 : 1; i <= LAYERS; i++) {
            System.arraycopy(Arrays.toFloats(parameters.get(i).gradient()), 0, all, i * WIDTH * WIDTH, WIDTH * WIDTH);
        }
        return all;
    }

    /** A residual layer: norm, frozen matrix, SwiGLU, dropout, trained matrix. */
    private Variable layer(Tape tape, Variable x, Parameter trained) {
        Variable normed = NormOps.rmsNorm(tape, x, tape.constant(norm), 1e-5f);
        Variable up = tape.wide(() -> MatrixOps.linear(tape, normed, weight));
        Variable active = ElementwiseOps.gated(tape, Activation.SILU, normed, up);
        Variable dropped = ElementwiseOps.dropout(tape, active, 0.3f, 7);
        return ElementwiseOps.addInto(tape, x,
                MatrixOps.matmulTransposed(tape, dropped, tape.parameter(trained)));
    }

    @Test
    void gradientsAreTheSameToTheLastBit() {
        for (boolean trainedInput : new boolean[] {true, false}) {
            float[] plain = gradients(PLAIN, trainedInput);
            assertTrue(plain[WIDTH * WIDTH] != 0 && plain[plain.length - 1] != 0, "nothing was learned");
            assertArrayEquals(plain, gradients(BLOCK, trainedInput), 0);
            assertArrayEquals(plain, gradients(NARROW, trainedInput), 0);
            assertArrayEquals(plain, gradients(CHECKPOINT, trainedInput), 0);
        }
    }

    /** Beside the input of the stack: a layer's frozen product and its output; the rest can be computed again. */
    @Test
    void aBlockKeepsExpensiveValues() {
        gradients(BLOCK, true);
        assertEquals(2 * ACTIVATION + LAYERS * (2 * ACTIVATION + SCALES), kept);
        gradients(PLAIN, true);
        assertEquals(2 * ACTIVATION + LAYERS * (5 * ACTIVATION + SCALES), kept);
    }

    @Test
    void aNarrowBlockDropsItsWideProducts() {
        gradients(NARROW, true);
        assertEquals(2 * ACTIVATION + LAYERS * (ACTIVATION + SCALES), kept);
    }

    /** Operations whose gradients read their own results, which blocks drop. */
    @Test
    void gradientsThatReadDroppedResultsAreTheSame() {
        List<float[]> all = new ArrayList<>();
        for (Way way : List.of(PLAIN, BLOCK, NARROW, CHECKPOINT)) {
            try (Parameter parameter = new Parameter("p", Arrays.of(Arrays.toFloats(input), ROWS, WIDTH));
                    Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
                Variable x = way.run(tape, tape.parameter(parameter), h -> {
                    Variable capped = ElementwiseOps.softCap(tape, h, 1.5f);
                    Variable p = RoutingOps.softmax(tape, capped);
                    Variable n = NormOps.layerNorm(tape, p, tape.constant(norm), Optional.empty(), 1e-3f);
                    Variable part = ColumnOps.slice(tape, ElementwiseOps.activate(tape, Activation.GELU, n), 1, 4);
                    return ElementwiseOps.scale(tape, part, 2);
                });
                try (INDArray seed = Arrays.of(new float[] {1, -2, 3}, 1, 3).repeat(0, ROWS).dup('c')) {
                    tape.backward(x, seed);
                }
                all.add(Arrays.toFloats(parameter.gradient()));
            }
        }
        assertTrue(all.get(0)[0] != 0, "nothing was learned");
        all.forEach(gradient -> assertArrayEquals(all.get(0), gradient, 0));
    }

    @Test
    void aProductThatIsAddedToInPlaceIsKept() {
        try (Parameter a = new Parameter("a", Arrays.of(Arrays.toFloats(normal(2, WIDTH)), 2, WIDTH));
                Parameter b = new Parameter("b", Arrays.of(Arrays.toFloats(normal(WIDTH, 2)), WIDTH, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable x = tape.constant(input);
            Variable[] wide = new Variable[1];
            tape.narrowBlock(x, h -> {
                wide[0] = tape.wide(() -> MatrixOps.addLowRank(tape, MatrixOps.linear(tape, h, weight), h,
                        tape.parameter(a), tape.parameter(b), 1));
                return ElementwiseOps.scale(tape, wide[0], 2);
            });
            float[] expected;
            try (Tape plain = Tape.inference(kernels, arena, DataType.FLOAT)) {
                expected = Arrays.toFloats(MatrixOps.linearWithLowRank(plain, plain.constant(input), weight,
                        plain.parameter(a), plain.parameter(b), 1).value());
            }
            assertArrayEquals(expected, Arrays.toFloats(wide[0].value()));
        }
    }

    @Test
    void aWideProductWithItsUpdateIsComputedAgain() {
        try (Parameter a = new Parameter("a", Arrays.of(Arrays.toFloats(normal(2, WIDTH)), 2, WIDTH));
                Parameter b = new Parameter("b", Arrays.of(Arrays.toFloats(normal(WIDTH, 2)), WIDTH, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable[] wide = new Variable[1];
            float[][] first = new float[1][];
            tape.narrowBlock(tape.constant(input), h -> {
                wide[0] = tape.wide(() -> MatrixOps.linearWithLowRank(tape, h, weight, tape.parameter(a),
                        tape.parameter(b), 1));
                first[0] = Arrays.toFloats(wide[0].value());
                return ElementwiseOps.scale(tape, wide[0], 2);
            });
            long dropped = arena.liveBytes();
            assertArrayEquals(first[0], Arrays.toFloats(wide[0].value()));
            assertEquals(dropped + ACTIVATION, arena.liveBytes());
        }
    }

    @Test
    void aCheckpointKeepsItsInputOnly() {
        gradients(CHECKPOINT, true);
        assertEquals(2 * ACTIVATION + LAYERS * ACTIVATION, kept);
        gradients(CHECKPOINT, false);
        assertEquals(ACTIVATION + LAYERS * ACTIVATION, kept);
    }

    @Test
    void aCheckpointOfNothingTrainableKeepsItsResultOnly() {
        try (Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable x = ElementwiseOps.scale(tape, tape.constant(input), 1);
            for (int i = 0; i < LAYERS; i++) {
                x = tape.checkpoint(x, h -> ElementwiseOps.scale(tape, MatrixOps.linear(tape, h, weight), 2));
            }
            assertFalse(x.requiresGradient());
            assertEquals(0, tape.recordedOperations());
            assertEquals(ACTIVATION, arena.liveBytes());
        }
    }

    @Test
    void aCheckpointThatWritesOverItsInputIsRefused() {
        try (Parameter parameter = new Parameter("p", Arrays.of(new float[WIDTH], WIDTH));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable x = ElementwiseOps.scale(tape, tape.constant(input), 1);
            assertThrows(IllegalStateException.class,
                    () -> tape.checkpoint(x, h -> MatrixOps.addBias(tape, h, tape.parameter(parameter))));
        }
    }

    @Test
    void droppedValuesAreRecomputedForLateReaders() {
        try (Parameter parameter = new Parameter("p", Arrays.of(Arrays.toFloats(input), ROWS, WIDTH));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable[] scaled = new Variable[1];
            Variable x = tape.parameter(parameter);
            tape.block(x, h -> {
                scaled[0] = ElementwiseOps.scale(tape, h, 2);
                return ElementwiseOps.scale(tape, scaled[0], 2);
            });
            assertEquals(ACTIVATION, arena.liveBytes());
            float[] expected = Arrays.toFloats(input);
            for (int i = 0; i < expected.length; i++) {
                expected[i] *= 2;
            }
            assertArrayEquals(expected, Arrays.toFloats(scaled[0].value()));
        }
    }
}
