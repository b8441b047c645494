package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the contract's small shapes do not reach: rows and columns that are cut up, other threads, refusals. */
@Tag("processor")
class OneDnnSizesTest {
    private static INDArray random(DataType type, int seed, long... shape) {
        INDArray array = Arrays.zeros(type, shape);
        float[] values = new float[(int) array.length()];
        Random random = new Random(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Arrays.write(array, 0, values, 0, values.length);
        return array;
    }

    private static void assertClose(String what, INDArray expected, INDArray actual, double tolerance) {
        float[] e = Arrays.toFloats(expected);
        float[] a = Arrays.toFloats(actual);
        double squares = 0;
        for (float value : e) {
            squares += (double) value * value;
        }
        double level = Math.sqrt(squares / e.length);
        for (int i = 0; i < e.length; i++) {
            if (!(Math.abs(e[i] - a[i]) <= tolerance * (Math.abs(e[i]) + level))) {
                fail(what + ", element " + i + ": expected " + e[i] + ", got " + a[i]);
            }
        }
    }

    private static void checkLinear(Kernels kernels, DataType type, int n, int in, int out) {
        checkLinear(kernels, type, type, n, in, out);
    }

    private static void checkLinear(Kernels kernels, DataType type, DataType result, int n, int in, int out) {
        // f32: a few hundred roundings of 6e-8. bf16: results are rounded to 2^-8, here and there.
        double tolerance = type == DataType.FLOAT ? 1e-5 : 1.0 / 64;
        try (NaiveKernels naive = new NaiveKernels();
                DenseWeight w = new DenseWeight(random(type, 1, out, in));
                INDArray x = random(type, 2, n, in);
                INDArray y = random(result, 3, n, out);
                INDArray expectedY = y.dup();
                INDArray dx = random(type, 4, n, in);
                INDArray expectedDx = dx.dup()) {
            for (boolean accumulate : new boolean[] {false, true}) {
                naive.linear(x, w, expectedY, accumulate);
                kernels.linear(x, w, y, accumulate);
                assertClose("linear " + n + " x " + in + " x " + out, expectedY, y, tolerance);
                naive.linearBackward(y, w, expectedDx, accumulate);
                kernels.linearBackward(y, w, dx, accumulate);
                assertClose("linearBackward " + n + " x " + in + " x " + out, expectedDx, dx, tolerance);
            }
        }
    }

    @Test
    void rowsAndColumnsThatAreCutUp() {
        for (int threads : new int[] {1, 2, 3}) {
            try (Kernels kernels = new OneDnnKernels(threads)) {
                for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                    checkLinear(kernels, type, 553, 96, 160);
                    checkLinear(kernels, type, 640, 64, 72);
                    checkLinear(kernels, type, 33, 80, 1000);
                    checkLinear(kernels, type, 2, 64, 2051);
                }
            }
        }
    }

    /** Rows that are not a multiple of 16, also in tasks that border on others, and sums over a vocabulary. */
    @Test
    void rowsThatArePaddedAndLongSums() {
        // A processor without the instruction cannot be made to multiply, which BFloat16ProductsTest holds it to.
        for (String way : DnnlLibrary.multipliesBFloat16() ? List.of("multiply", "widen") : List.of("widen")) {
            for (int threads : new int[] {1, 2, 3}) {
                try (Kernels kernels = new OneDnnKernels(threads, way)) {
                    for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                        checkLinear(kernels, type, 529, 64, 96);
                        checkLinear(kernels, type, DataType.FLOAT, 65, 72, 4500);
                        checkLinear(kernels, type, DataType.FLOAT, 17, 65, 4500);
                    }
                }
            }
        }
    }

    /** Few rows are turned and padded: also where sums are as short as an adapter of rank 1 has them, or are cut. */
    @Test
    void fewRowsAndShortOrLongSums() {
        try (Kernels kernels = new OneDnnKernels(2)) {
            for (int rows : new int[] {2, 9, 16, 31, 32, 33}) {
                for (int in : new int[] {1, 3, 8, 4500}) {
                    checkLinear(kernels, DataType.FLOAT, rows, in, 97);
                }
            }
        }
    }

    /** Tasks of different shapes may sum in different orders: those of few rows do not depend on the threads. */
    @Test
    void theNumberOfThreadsChangesNoBitOfAProductOfFewRows() {
        int[][] shapes = {{1, 224, 203}, {34, 84, 129}, {58, 3936, 576}, {6, 423, 3297}, {50, 64, 4384}, {63, 65, 70}};
        try (Kernels one = new OneDnnKernels(1);
                Kernels two = new OneDnnKernels(2);
                Kernels three = new OneDnnKernels(3)) {
            for (int[] shape : shapes) {
                for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                    try (DenseWeight w = new DenseWeight(random(type, 1, shape[2], shape[1]));
                            INDArray x = random(type, 2, shape[0], shape[1]);
                            INDArray y = random(type, 3, shape[0], shape[2])) {
                        float[] expected = bothWays(one, w, x, y);
                        float[] answer = bothWays(one.forGeneration(8), w, x, y);
                        for (Kernels more : List.of(two, three)) {
                            String what = type + " " + java.util.Arrays.toString(shape);
                            assertArrayEquals(expected, bothWays(more, w, x, y), what);
                            assertArrayEquals(answer, bothWays(more.forGeneration(8), w, x, y), what);
                        }
                    }
                }
            }
        }
    }

    /** Operations of encoders: how elements, rows and heads are shared among threads is not seen in the results. */
    @Test
    void theNumberOfThreadsChangesNoBitOfAnEncodersOperations() {
        AttentionLayout layout = AttentionLayout.bidirectional(64, 37, 150).windowed(80);
        AttentionShape shape = new AttentionShape(4, 2, 32, 0.2f, 5);
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
            try (INDArray x = random(type, 1, 251, 128);
                    INDArray weight = random(DataType.FLOAT, 2, 128);
                    INDArray bias = random(DataType.FLOAT, 3, 4, 31);
                    INDArray k = random(type, 4, 251, 64);
                    INDArray dy = random(type, 5, 251, 128)) {
                List<float[]> all = new ArrayList<>();
                for (int threads = 1; threads <= 3; threads++) {
                    try (Kernels kernels = new OneDnnKernels(threads);
                            INDArray y = x.dup();
                            INDArray dx = x.dup();
                            INDArray mean = random(DataType.FLOAT, 6, 251);
                            INDArray rstd = mean.dup();
                            INDArray out = x.dup();
                            INDArray lse = random(DataType.FLOAT, 7, 251, 4)) {
                        kernels.layerNorm(x, weight, Optional.of(weight), 1e-5f, y, mean, rstd);
                        kernels.layerNormBackward(dy, x, weight, mean, rstd, dx, false);
                        kernels.activate(Activation.GELU, y, y);
                        kernels.attention(y, k, k, layout, shape, AttentionExtras.bias(bias), out, lse);
                        kernels.gated(Activation.GELU_TANH, out, dx, y);
                        all.add(Arrays.toFloats(y));
                    }
                }
                assertArrayEquals(all.get(0), all.get(1), type + " on two threads");
                assertArrayEquals(all.get(0), all.get(2), type + " on three threads");
            }
        }
    }

    /** y + x W^T, and behind it the gradient. */
    private static float[] bothWays(Kernels kernels, DenseWeight w, INDArray x, INDArray y) {
        try (INDArray result = y.dup(); INDArray gradient = x.dup()) {
            kernels.linear(x, w, result, true);
            kernels.linearBackward(y, w, gradient, true);
            float[] all = java.util.Arrays.copyOf(Arrays.toFloats(result), (int) (y.length() + x.length()));
            Arrays.read(gradient, 0, all, (int) y.length(), (int) x.length());
            return all;
        }
    }

    /** The gradients of an adapter: the reduced dimension is the number of rows of the batch. */
    @Test
    void productsThatReduceOverTheRows() {
        try (Kernels kernels = new OneDnnKernels(2); NaiveKernels naive = new NaiveKernels()) {
            for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                for (int n : new int[] {9, 16, 256, 553}) {
                    try (INDArray h = random(DataType.FLOAT, 1, n, 16);
                            INDArray x = random(type, 2, n, 200);
                            INDArray da = random(DataType.FLOAT, 3, 16, 200);
                            INDArray expectedDa = da.dup();
                            INDArray db = random(DataType.FLOAT, 4, 200, 16);
                            INDArray expectedDb = db.dup()) {
                        naive.matmul(h, true, x, false, expectedDa, 0.5f, true);
                        kernels.matmul(h, true, x, false, da, 0.5f, true);
                        naive.matmul(x, true, h, false, expectedDb, 2f, false);
                        kernels.matmul(x, true, h, false, db, 2f, false);
                        double tolerance = type == DataType.FLOAT ? 1e-5 : 1.0 / 64;
                        assertClose("da over " + n, expectedDa, da, tolerance);
                        assertClose("db over " + n, expectedDb, db, tolerance);
                    }
                }
            }
        }
    }

    /** The caller may be another thread each time, as long as one calls at a time. */
    @Test
    void otherThreadsMayCall() throws InterruptedException {
        try (Kernels kernels = new OneDnnKernels(2);
                INDArray x = random(DataType.FLOAT, 1, 200, 96);
                DenseWeight w = new DenseWeight(random(DataType.FLOAT, 2, 80, 96));
                INDArray first = random(DataType.FLOAT, 3, 200, 80);
                INDArray second = random(DataType.FLOAT, 4, 200,
                        80)) {
            kernels.linear(x, w, first, false);
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread thread = new Thread(() -> kernels.linear(x, w, second, false));
            thread.setUncaughtExceptionHandler((t, e) -> failure.set(e));
            thread.start();
            thread.join();
            assertEquals(null, failure.get());
            assertArrayEquals(Arrays.toFloats(first), Arrays.toFloats(second));
        }
    }

    /** Rows of a cache that no query sees may never have been written; they are not read, or do not count. */
    @Test
    void unseenKeysDoNotContribute() {
        AttentionLayout layout = new AttentionLayout(List.of(
                new AttentionLayout.Segment(0, 9, List.of(new AttentionLayout.Range(3, 16)), 20, 0),
                new AttentionLayout.Segment(9, 50, List.of(), 29, 4)));
        AttentionShape shape = new AttentionShape(6, 2, 16, 0.25f);
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
            try (Kernels kernels = new OneDnnKernels(2);
                    INDArray q = random(type, 1, 50, 96);
                    INDArray k = random(type, 2, 90, 32);
                    INDArray v = random(type, 3, 90, 32);
                    INDArray out = random(type, 4, 50, 96);
                    INDArray lse = random(DataType.FLOAT, 5, 50, 6);
                    INDArray dOut = random(type, 6, 50, 96);
                    INDArray dq = random(type, 7, 50, 96);
                    INDArray dk = random(type, 8, 90, 32);
                    INDArray dv = random(type, 9, 90, 32)) {
                kernels.attention(q, k, v, layout, shape, out, lse);
                kernels.attentionBackward(dOut, q, k, v, out, lse, layout, shape, dq, dk, dv);
                INDArray[] results = {out, dq, dk, dv};
                List<float[]> expected = Stream.of(results).map(Arrays::toFloats).toList();
                float[] noNumbers = new float[32];
                java.util.Arrays.fill(noNumbers, Float.NaN);
                for (int row = 0; row < 90; row++) {
                    if (row < 3 || row >= 16 && row < 20 || row >= 74) {
                        Arrays.write(k, row * 32, noNumbers, 0, 32);
                        Arrays.write(v, row * 32, noNumbers, 0, 32);
                    }
                }
                kernels.attention(q, k, v, layout, shape, out, lse);
                kernels.attentionBackward(dOut, q, k, v, out, lse, layout, shape, dq, dk, dv);
                for (int i = 0; i < results.length; i++) {
                    assertArrayEquals(expected.get(i), Arrays.toFloats(results[i]), type + ", result " + i);
                }
            }
        }
    }

    @Test
    void referenceImplementationsAreRefused() {
        try (ThreadTeam team = new ThreadTeam(1, new org.bytedeco.dnnl.engine(org.bytedeco.dnnl.engine.kind.cpu, 0))) {
            ThreadContext lane = team.caller();
            // oneDNN 3.11 has nothing but its reference code for a product of f32 matrices into bf16.
            MatmulSpec spec = new MatmulSpec(MatmulSpec.Operand.rows(DataType.FLOAT, 64),
                    MatmulSpec.Operand.rows(DataType.FLOAT, 32), MatmulSpec.Operand.rows(DataType.BFLOAT16, 32), 16,
                    64, 32, 1f, false);
            assertEquals(Optional.empty(), lane.call(spec));
            assertTrue(lane.call(new MatmulSpec(spec.a(), spec.b(), MatmulSpec.Operand.rows(DataType.FLOAT, 32), 16, 64,
                    32, 1f, false)).isPresent());
        }
    }
}
