package io.peft4j.core.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.weight.DenseWeight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What is recorded, what is kept and what is refused. Gradients: {@link OperationGradientsTest}. */
class TapeTest {
    private final NaiveKernels kernels = new NaiveKernels();
    private final Arena arena = new Arena();
    private final Parameter parameter = new Parameter("p", Arrays.of(new float[] {1, 2, 3, 4}, 2, 2));
    private final INDArray input = Arrays.of(new float[] {1, -1, 2, 5}, 2, 2);
    private final DenseWeight weight = new DenseWeight(Arrays.of(new float[] {1, 2, 0, 1}, 2, 2));

    private Tape recording() {
        return Tape.recording(kernels, arena, DataType.FLOAT);
    }

    @AfterEach
    void freeAll() {
        assertEquals(0, arena.liveBytes(), "the tape has not given everything back");
        arena.close();
        parameter.close();
        input.close();
        weight.close();
    }

    @Test
    void nothingIsRecordedBelowTheFirstTrainedLayer() {
        try (Tape tape = recording()) {
            Variable x = MatrixOps.linear(tape, tape.constant(input), weight);
            x = ElementwiseOps.gated(tape, Activation.SILU, x, x);
            x = ElementwiseOps.addInto(tape, tape.constant(input), ElementwiseOps.scale(tape, x, 2));
            assertFalse(x.requiresGradient());
            assertEquals(0, tape.recordedOperations());
            Variable y = MatrixOps.matmulTransposed(tape, x, tape.parameter(parameter));
            assertTrue(y.requiresGradient());
            assertEquals(1, tape.recordedOperations());
        }
    }

    @Test
    void aTapeThatDoesNotRecordMakesNoGradients() {
        try (Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            Variable y = MatrixOps.matmulTransposed(tape, tape.constant(input), tape.parameter(parameter));
            assertEquals(0, tape.recordedOperations());
            assertFalse(parameter.hasGradient());
            String message = assertThrows(IllegalStateException.class, () -> tape.backward(y, input)).getMessage();
            assertTrue(message.startsWith("this output has no trainable inputs"), message);
        }
    }

    @Test
    void gradientsAreWrittenToTheGivenArray() {
        try (Tape tape = recording(); INDArray gradient = Arrays.of(new float[] {1, 1, 1, 1}, 2, 2)) {
            Variable x = tape.input(input, gradient);
            tape.backward(ElementwiseOps.scale(tape, x, 3), input);
            assertArrayEquals(new float[] {4, -2, 7, 16}, Arrays.toFloats(gradient));
        }
    }

    @Test
    void aSharedGradientIsCopiedBeforeItIsAddedTo() {
        try (Tape tape = recording()) {
            // The gradient of the sum flows to both p and 2 p unchanged; p then gets another part added.
            Variable p = ElementwiseOps.scale(tape, tape.parameter(parameter), 1);
            Variable twice = ElementwiseOps.scale(tape, p, 2);
            Variable sum = ElementwiseOps.add(tape, p, twice);
            tape.backward(sum, input);
            assertArrayEquals(new float[] {3, -3, 6, 15}, Arrays.toFloats(parameter.gradient()));
            assertArrayEquals(new float[] {1, -1, 2, 5}, Arrays.toFloats(input));
        }
    }

    @Test
    void aBranchThatDoesNotReachTheLossCostsNothing() {
        try (Tape tape = recording()) {
            Variable p = tape.parameter(parameter);
            ElementwiseOps.multiply(tape, p, p);
            tape.backward(ElementwiseOps.scale(tape, p, 2), input);
            assertArrayEquals(new float[] {2, -2, 4, 10}, Arrays.toFloats(parameter.gradient()));
        }
    }

    @Test
    void aValueThatAGradientReadsIsNotOverwritten() {
        try (Tape tape = recording()) {
            Variable x = ElementwiseOps.scale(tape, tape.parameter(parameter), 1);
            ElementwiseOps.multiply(tape, x, x);
            assertThrows(IllegalStateException.class,
                    () -> ElementwiseOps.addInto(tape, tape.constant(input), x));
        }
        try (Tape tape = recording()) {
            Variable x = tape.parameter(parameter);
            Variable y = AttentionOps.attention(tape, x, x, x, AttentionLayout.packed(2),
                    new AttentionShape(1, 1, 2, 1));
            assertThrows(IllegalStateException.class,
                    () -> ElementwiseOps.addInto(tape, tape.constant(input), y));
        }
    }

    @Test
    void memoryIsFreedWithoutABackwardPass() {
        for (int i = 0; i < 3; i++) {
            try (Tape tape = recording(); INDArray norm = Arrays.of(new float[] {1, 2}, 2)) {
                Variable x = MatrixOps.matmulTransposed(tape, tape.constant(input), tape.parameter(parameter));
                NormOps.rmsNorm(tape, x, tape.constant(norm), 1e-5f);
                assertTrue(arena.liveBytes() > 0);
                assertEquals(2, tape.recordedOperations());
            }
            assertEquals(0, arena.liveBytes());
        }
    }

    @Test
    void theBackwardPassFreesFinishedValues() {
        try (Tape tape = recording()) {
            Variable x = tape.parameter(parameter);
            for (int i = 0; i < 100; i++) {
                x = ElementwiseOps.scale(tape, x, 1.01f);
            }
            long forward = arena.liveBytes();
            assertEquals(100 * 64, forward);
            tape.backward(x, input);
            assertEquals(0, arena.liveBytes());
            // At any time two gradients beside what is left of the forward pass.
            assertTrue(arena.peakBytes() <= forward + 2 * 64, "peak of " + arena.peakBytes() + " bytes");
        }
    }
}
