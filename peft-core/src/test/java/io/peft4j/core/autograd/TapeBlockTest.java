package io.peft4j.core.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.NaiveKernels;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a block keeps: everything that a gradient still reads, also where no gradient is wanted for it. */
class TapeBlockTest {
    /**
     * h = 3 x needs no gradient, but that of the weight is computed from it. The block must not give its memory to what
     * comes after.
     */
    @Test
    void theInputOfATrainedLayerSurvivesTheBlock() {
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Parameter weight = new Parameter("w", Arrays.of(new float[] {1, 2, 3, 4}, 2, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT);
                INDArray x = Arrays.of(new float[] {1, 10}, 1, 2);
                INDArray dy = Arrays.of(new float[] {1, 100}, 1, 2)) {
            Variable start = ElementwiseOps.scale(tape, tape.constant(x), 1);
            Variable y = tape.block(start, input -> MatrixOps.matmulTransposed(tape,
                    ElementwiseOps.scale(tape, input, 3), tape.parameter(weight)));
            // Takes the memory of whatever the block has given back.
            for (int i = 0; i < 4; i++) {
                Arrays.clear(arena.allocate(DataType.FLOAT, 1, 2));
            }
            tape.backward(y, dy);
            assertArrayEquals(new float[] {3, 30, 300, 3000}, Arrays.toFloats(weight.gradient()));
        }
    }

    /** Without a gradient below, nothing but the result stays. */
    @Test
    void withoutGradientsOnlyTheResultIsKept() {
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT);
                INDArray x = Arrays.of(new float[] {1, 10}, 1, 2)) {
            Variable y = ElementwiseOps.scale(tape, tape.constant(x), 1);
            for (int layer = 0; layer < 50; layer++) {
                y = tape.block(y, input -> ElementwiseOps.scale(tape, ElementwiseOps.scale(tape, input, 1), 1));
            }
            assertArrayEquals(new float[] {1, 10}, Arrays.toFloats(y.value()));
            // Input, intermediate and result of one block, 64 bytes each.
            assertEquals(3 * 64, arena.peakBytes());
        }
    }
}
