package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeLibraries;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J and others in the process use the same OpenBLAS. */
class ScanThreadsTest {
    private static final int ROWS = 70;
    private static final int SIZE = 128;

    private final Random random = new Random(1);

    @Test
    void scansNeitherChangeNorUseTheThreadsOfOpenBlas() {
        INDArray q = normal(SIZE, 0.1f);
        ScanInputs inputs = new ScanInputs(q, normal(SIZE, 0.1f), normal(SIZE, 1), normal(1, 0), Optional.empty());
        NativeLibraries.load(openblas_nolapack.class);
        int before = threads(1);
        try (Workers<Tiles> workers = new Workers<>(1, "scan", Tiles::new, () -> {
        })) {
            float[] one = scan(workers, inputs);
            threads(3);
            assertArrayEquals(one, scan(workers, inputs));
            assertEquals(3, threads(before));
        } finally {
            threads(before);
        }
    }

    private static float[] scan(Workers<Tiles> workers, ScanInputs inputs) {
        INDArray y = Nd4j.create(ROWS, SIZE);
        new SequenceLoops(workers).scan(new ScanShape(1, 1, SIZE, SIZE), inputs,
                RowOrder.of(AttentionLayout.packed(ROWS)), PieceStates.NONE, y);
        return Arrays.toFloats(y);
    }

    /** Sets the number of threads; returns what it was. */
    private static int threads(int count) {
        int[] before = new int[1];
        NativeLibraries.open(() -> {
            before[0] = openblas_nolapack.blas_get_num_threads();
            openblas_nolapack.blas_set_num_threads(count);
        });
        return before[0];
    }

    private INDArray normal(int columns, float scale) {
        float[] values = new float[ROWS * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = scale * (float) random.nextGaussian();
        }
        return Arrays.of(values, ROWS, columns);
    }
}
