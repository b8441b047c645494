package io.peft4j.core.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against {@code torch.Generator().manual_seed(seed)} of torch 2.15. */
class TorchRandomTest {
    private static int[] permutation(int n, long seed) {
        return new TorchRandom(seed).permutation(n, 8);
    }

    @Test
    void permutationsEqualTorch() {
        assertArrayEquals(new int[] {15, 0, 9, 11, 3, 7, 5, 1}, permutation(20, 777));
        assertArrayEquals(new int[] {867, 451, 1005, 61, 150, 1023, 242, 18}, permutation(1024, 5));
        assertArrayEquals(new int[] {36044, 73702, 76369, 2549, 52523, 32634, 95851, 73247}, permutation(100000, 0));
    }

    @Test
    void isAPermutation() {
        int[] all = new TorchRandom(3).permutation(700, 700);
        assertArrayEquals(IntStream.range(0, 700).toArray(), IntStream.of(all).sorted().toArray());
        assertThrows(IllegalArgumentException.class, () -> new TorchRandom(0).permutation(5, 6));
    }

    /** {@code torch.nn.init.kaiming_uniform_(torch.empty(3, 4), generator=...)}. */
    @Test
    void uniformNumbersEqualTorch() {
        assertArrayEquals(new float[] {-0.00916944537f, 0.657006562f, -1.0080204f, -0.901337564f, -0.471715838f,
            0.328424364f, -0.0242660921f, 0.971087337f, -0.108688816f, 0.324082881f, -0.370133936f, -0.24074246f},
                new TorchRandom(0).kaimingUniform(12, 4));
    }

    /** {@code torch.normal(0, 1 / sqrt(2), (n,), generator=...)}: the first three numbers and the last two. */
    @Test
    void normalNumbersAreTorchs() {
        assertNormal(5, 1.08964884f, -0.207485572f, -1.54063678f, 0.401941597f, -0.766873121f);
        assertNormal(16, -0.796088994f, -0.814841688f, -0.177185819f, 0.789680719f, -0.174852058f);
        assertNormal(21, -0.796088994f, -0.814841688f, -0.177185819f, 0.0379977264f, 0.437032044f);
        assertNormal(40, -0.796088994f, -0.814841688f, -0.177185819f, -1.11793149f, 1.206779f);
    }

    private static void assertNormal(int count, float... expected) {
        float[] all = new TorchRandom(0).normal(count, 1 / Math.sqrt(2));
        // Logarithms and sines of another library: the last bits.
        assertArrayEquals(expected, new float[] {all[0], all[1], all[2], all[count - 2], all[count - 1]}, 1e-6f);
    }
}
