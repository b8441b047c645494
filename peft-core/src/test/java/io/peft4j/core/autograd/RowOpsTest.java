package io.peft4j.core.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class RowOpsTest {
    /** Three rows of two: ids 1, 0, 1, 2 take them; what was in the gradient stays. */
    @Test
    void aTrainedEmbeddingAddsRowsBackExceptToThePaddingToken() {
        float[] dy = {1, 2, 3, 4, 5, 6, 7, 8};
        assertArrayEquals(new float[] {103, 104, 106, 108, 107, 108}, gradient(dy, OptionalInt.empty()));
        assertArrayEquals(new float[] {103, 104, 100, 100, 107, 108}, gradient(dy, OptionalInt.of(1)));
        assertArrayEquals(new float[] {103, 104, 106, 108, 100, 100}, gradient(dy, OptionalInt.of(2)));
    }

    private static float[] gradient(float[] dy, OptionalInt padding) {
        try (Kernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Parameter table = new Parameter("table", Arrays.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            table.gradient().assign(100);
            int[] ids = {1, 0, 1, 2};
            Variable y = RowOps.trainedEmbedding(tape, tape.parameter(table), ids, padding, DataType.FLOAT);
            assertArrayEquals(new float[] {3, 4, 1, 2, 3, 4, 5, 6}, Arrays.toFloats(y.value()));
            tape.backward(y, Arrays.of(dy, 4, 2));
            return Arrays.toFloats(table.gradient());
        }
    }

    /** Rows 0 and 2 of x stay, 1 and 3 come from rows 1 and 0 of the table, of which 0 is not trained. */
    @Test
    void replacedRowsAndTheOthersGetTheirOwnGradients() {
        try (Kernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Parameter x = new Parameter("x", Arrays.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2));
                Parameter table = new Parameter("table", Arrays.of(new float[] {20, 21, 30, 31}, 2, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable y = RowOps.replaceRows(tape, tape.parameter(x), tape.parameter(table), new int[] {-1, 1, -1, 0},
                    Set.of(0));
            assertArrayEquals(new float[] {1, 2, 30, 31, 5, 6, 20, 21}, Arrays.toFloats(y.value()));
            tape.backward(y, Arrays.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2));
            assertArrayEquals(new float[] {1, 2, 0, 0, 5, 6, 0, 0}, Arrays.toFloats(x.gradient()));
            assertArrayEquals(new float[] {0, 0, 3, 4}, Arrays.toFloats(table.gradient()));
        }
    }

    @Test
    void joinedRowsGiveBackTheirParts() {
        try (Kernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Parameter a = new Parameter("a", Arrays.of(new float[] {1, 2}, 1, 2));
                Parameter b = new Parameter("b", Arrays.of(new float[] {3, 4, 5, 6}, 2, 2));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable y = RowOps.concat(tape, tape.parameter(a), tape.parameter(b));
            assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Arrays.toFloats(y.value()));
            tape.backward(y, Arrays.of(new float[] {7, 8, 9, 10, 11, 12}, 3, 2));
            assertArrayEquals(new float[] {7, 8}, Arrays.toFloats(a.gradient()));
            assertArrayEquals(new float[] {9, 10, 11, 12}, Arrays.toFloats(b.gradient()));
        }
    }
}
