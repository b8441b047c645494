package io.peft4j.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.array.NativeLibraries;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The native libraries load and compute with the versions that the build pins: ND4J runs on a newer javacpp and
 * openblas than it asks for, and without the libraries that the build leaves out.
 */
class NativeLibrariesTest {

    /** [[1, 2], [3, 4]] times the transpose of [[5, 6], [7, 8]]: small integers, exact in f32. */
    private static final float[] PRODUCT = {17, 23, 39, 53};

    @Test
    void nd4jMultipliesMatrices() {
        INDArray x = Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}});
        INDArray w = Nd4j.createFromArray(new float[][] {{5, 6}, {7, 8}});
        INDArray y = Nd4j.createUninitialized(DataType.FLOAT, new long[] {2, 2}, 'f');
        Nd4j.gemm(x, w, y, false, true, 1.0, 0.0);
        assertArrayEquals(PRODUCT, y.dup('c').data().asFloat());
    }

    @Test
    void nd4jHoldsBfloat16() {
        INDArray x = Nd4j.createFromArray(1.5f, -2.25f).castTo(DataType.BFLOAT16);
        assertEquals(DataType.BFLOAT16, x.dataType());
        assertArrayEquals(new float[] {1.5f, -2.25f}, x.castTo(DataType.FLOAT).data().asFloat());
    }

    @Test
    void nd4jDecomposesMatrices() {
        INDArray x = Nd4j.createFromArray(new float[][] {{2, 1}, {1, 3}, {0, 2}});
        INDArray[] qr = Nd4j.linalg().qr(x, false);
        INDArray product = qr[0].mmul(qr[1]);
        // Two 3x2 factors of numbers near 1: a handful of f32 roundings of 6e-8 each.
        assertArrayEquals(x.data().asFloat(), product.dup('c').data().asFloat(), 1e-6f);
    }

    @Test
    void openblasIsCalledDirectly() {
        try (FloatPointer x = new FloatPointer(1, 2, 3, 4);
                FloatPointer w = new FloatPointer(5, 6, 7, 8);
                FloatPointer y = new FloatPointer(4)) {
            openblas.cblas_sgemm(openblas.CblasRowMajor, openblas.CblasNoTrans, openblas.CblasTrans,
                    2, 2, 2, 1.0f, x, 2, w, 2, 0.0f, y, 2);
            float[] result = new float[4];
            y.get(result);
            assertArrayEquals(PRODUCT, result);
        }
    }

    /** Two threads that open libraries at once can stop each other for ever. */
    @Test
    void librariesAreOpenedOneAfterTheOther() throws InterruptedException {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Runnable opening = () -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            // The other thread, if it came in too, would be seen.
            LockSupport.parkNanos(20_000_000);
            inside.decrementAndGet();
        };
        Thread other = new Thread(() -> NativeLibraries.open(opening));
        other.start();
        NativeLibraries.open(opening);
        other.join();
        assertEquals(1, most.get());
    }
}
