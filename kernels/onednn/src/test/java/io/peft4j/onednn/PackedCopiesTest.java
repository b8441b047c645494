package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.dnnl.engine;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** How long copies of weights for generation are kept, and that nothing but time depends on it. */
@Tag("processor")
class PackedCopiesTest {
    private static final int OUT = 96;
    private static final int IN = 64;
    private static final long PLENTY = 1 << 24;

    private static OneDnnKernels kernels(long budget) {
        return new OneDnnKernels(2, "auto", budget);
    }

    /** A weight that oneDNN multiplies from a copy on any processor with AVX2: 4-bit blocks. */
    private static BlockWeight weight(int seed) {
        byte[] bytes = new byte[(int) BlockType.Q4_0.bytes((long) OUT * IN)];
        new Random(seed).nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += BlockType.Q4_0.blockBytes()) {
            // The scale 2^-4 as a half.
            bytes[at] = 0;
            bytes[at + 1] = 0x2c;
        }
        BytePointer memory = new BytePointer(bytes.length).put(bytes);
        return new BlockWeight(BlockType.Q4_0, OUT, IN, memory.address(), memory);
    }

    private static float[] linear(Kernels kernels, FrozenWeight w, int rows) {
        try (INDArray x = Arrays.zeros(DataType.FLOAT, rows, w.columns());
                INDArray y = Arrays.zeros(DataType.FLOAT, rows, w.rows())) {
            float[] values = new float[(int) x.length()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (i % 17 - 8) / 3f;
            }
            Arrays.write(x, 0, values, 0, values.length);
            kernels.linear(x, w, y, false);
            return Arrays.toFloats(y);
        }
    }

    private static long bytesOfOne() {
        try (OneDnnKernels kernels = kernels(PLENTY); FrozenWeight w = weight(1)) {
            linear(kernels.forGeneration(1), w, 1);
            return kernels.packedBytes();
        }
    }

    @Test
    void passesOfAnotherKindLeaveTheCopies() {
        try (OneDnnKernels kernels = kernels(PLENTY); FrozenWeight w = weight(1)) {
            float[] before = linear(kernels.forGeneration(1), w, 3);
            long bytes = kernels.packedBytes();
            assertTrue(bytes > 0);
            linear(kernels, w, 3);
            linear(kernels, w, 200);
            assertEquals(bytes, kernels.packedBytes());
            assertArrayEquals(before, linear(kernels.forGeneration(1), w, 3));
        }
    }

    @Test
    void aForgottenWeightGivesItsMemoryBackAndMayBeUsedAgain() {
        try (OneDnnKernels kernels = kernels(PLENTY); FrozenWeight w = weight(1); FrozenWeight other = weight(2)) {
            float[] before = linear(kernels.forGeneration(1), w, 1);
            linear(kernels.forGeneration(1), other, 1);
            long both = kernels.packedBytes();
            kernels.forget(w);
            assertEquals(both / 2, kernels.packedBytes());
            assertArrayEquals(before, linear(kernels.forGeneration(1), w, 1));
            assertEquals(both, kernels.packedBytes());
        }
    }

    /** A copy must not hold its weight, or neither would ever be given back. */
    @Test
    void aWeightOutOfReachIsForgotten() throws InterruptedException {
        try (OneDnnKernels kernels = kernels(PLENTY); FrozenWeight other = weight(2)) {
            linear(kernels.forGeneration(1), weight(1), 1);
            long one = kernels.packedBytes();
            for (int i = 0; i < 200 && kernels.packedBytes() >= one; i++) {
                System.gc();
                Thread.sleep(10);
                // What is gone is noticed on the way to another product.
                linear(kernels.forGeneration(1), other, 1);
                kernels.forget(other);
            }
            assertEquals(0, kernels.packedBytes());
        }
    }

    /** Three weights in turn where two fit: the first two stay, the third is packed for each product. */
    @Test
    void theBudgetIsKeptAndChangesNoBit() {
        long one = bytesOfOne();
        try (OneDnnKernels roomy = kernels(PLENTY);
                OneDnnKernels tight = kernels(2 * one + 1);
                FrozenWeight a = weight(1);
                FrozenWeight b = weight(2);
                FrozenWeight c = weight(3)) {
            for (int round = 0; round < 3; round++) {
                for (FrozenWeight w : List.of(a, b, c)) {
                    for (int rows : new int[] {1, 2, 5, 20}) {
                        assertArrayEquals(linear(roomy.forGeneration(1), w, rows),
                                linear(tight.forGeneration(1), w, rows), rows + " rows");
                    }
                    assertTrue(tight.packedBytes() <= 2 * one);
                }
            }
            assertEquals(3 * one, roomy.packedBytes());
            assertEquals(2 * one, tight.packedBytes());
        }
    }

    /** What one model has filled the budget with makes room when another is used instead. */
    @Test
    void copiesThatNobodyUsesMakeRoom() {
        long one = bytesOfOne();
        try (OneDnnKernels kernels = kernels(one); FrozenWeight idle = weight(1); FrozenWeight used = weight(2)) {
            linear(kernels.forGeneration(1), idle, 1);
            linear(kernels.forGeneration(1), used, 1);
            linear(kernels.forGeneration(1), used, 1);
            assertEquals(one, kernels.packedBytes());
            kernels.forget(idle);
            assertEquals(one, kernels.packedBytes());
            kernels.forget(used);
            assertEquals(0, kernels.packedBytes());
        }
    }

    /** A layout whose packing fails on demand. */
    private static final class Refusing extends PackedWeight {
        private final float mark;
        private boolean refuses;

        Refusing(float mark) {
            super(OUT, IN, 1, count -> Float.BYTES);
            this.mark = mark;
        }

        @Override
        boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy) {
            if (refuses) {
                throw new IllegalStateException("refused");
            }
            NativeMemory.write(copy, new float[] {mark}, 0, 1);
            return true;
        }

        @Override
        void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y,
                boolean accumulate) {
            throw new AssertionError("nothing is multiplied");
        }
    }

    /** The first time, and when there is room for it again. */
    @Test
    void aCopyWhosePackingFailedIsPackedAgain() {
        Refusing layout = new Refusing(1);
        try (engine processor = new engine(engine.kind.cpu, 0);
                ThreadTeam team = new ThreadTeam(1, processor);
                PackedCopies copies = new PackedCopies(team, layout.sliceBytes() * layout.slices());
                FrozenWeight w = weight(1);
                FrozenWeight other = weight(2)) {
            for (int round = 0; round < 2; round++) {
                layout.refuses = true;
                assertThrows(IllegalStateException.class, () -> use(copies, w, layout));
                layout.refuses = false;
                PackedCopies.Copy copy = use(copies, w, layout);
                assertTrue(copy.kept());
                float[] written = new float[1];
                NativeMemory.read(copy.slice(team.caller(), w, 0), written, 0, 1);
                assertEquals(1, written[0]);
                // Used twice, it takes the room of the first, which is then used once.
                use(copies, other, new Refusing(2));
                use(copies, other, new Refusing(2));
                assertFalse(use(copies, w, layout).kept());
            }
        }
    }

    private static PackedCopies.Copy use(PackedCopies copies, FrozenWeight w, PackedWeight layout) {
        return copies.of(w, PackedCopies.Layout.LOOPS, () -> Optional.of(layout)).orElseThrow();
    }

    /** Single rows and batches have copies of their own, so that neither changes the other's bits. */
    @Test
    void whatCameBeforeChangesNoBit() {
        String way = DnnlLibrary.multipliesBFloat16() ? "multiply" : "auto";
        try (OneDnnKernels fresh = new OneDnnKernels(1, way);
                OneDnnKernels used = new OneDnnKernels(1, way);
                DenseWeight w = new DenseWeight(Arrays.zeros(DataType.BFLOAT16, OUT, IN));
                INDArray x = Arrays.zeros(DataType.BFLOAT16, 20, IN);
                INDArray y = Arrays.zeros(DataType.FLOAT, 20,
                        OUT)) {
            float[] values = new float[OUT * IN];
            for (int i = 0; i < values.length; i++) {
                values[i] = (i * 7 % 31 - 15) / 11f;
            }
            Arrays.write(w.values(), 0, values, 0, values.length);
            Arrays.write(x, 0, values, 0, 20 * IN);
            used.forGeneration(20).linear(x, w, y, false);
            long bytes = used.packedBytes();
            try (INDArray two = Arrays.zeros(DataType.BFLOAT16, 2, IN);
                    INDArray result = Arrays.zeros(DataType.FLOAT, 2, OUT)) {
                used.forGeneration(20).linear(two, w, result, false);
            }
            assertEquals(bytes, used.packedBytes(), "the rows that are left of a batch meet its copy");
            if (DnnlLibrary.multipliesBFloat16()) {
                used.forGeneration(1).linear(x, w, y, false);
                assertEquals(bytes, used.packedBytes(), "a short prompt has no copy of its own");
            }
            assertArrayEquals(linear(fresh.forGeneration(1), w, 1), linear(used.forGeneration(1), w, 1));
        }
    }
}
