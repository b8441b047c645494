package io.peft4j.methods.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against {@code torch.randperm(n, generator=torch.Generator().manual_seed(seed))[:8]} of torch 2.15. */
class TorchPermutationTest {
    @Test
    void equalsTorch() {
        assertArrayEquals(new int[] {15, 0, 9, 11, 3, 7, 5, 1}, TorchPermutation.first(20, 8, 777));
        assertArrayEquals(new int[] {867, 451, 1005, 61, 150, 1023, 242, 18}, TorchPermutation.first(1024, 8, 5));
        assertArrayEquals(new int[] {36044, 73702, 76369, 2549, 52523, 32634, 95851, 73247},
                TorchPermutation.first(100000, 8, 0));
    }

    @Test
    void isAPermutation() {
        int[] all = TorchPermutation.first(700, 700, 3);
        assertArrayEquals(IntStream.range(0, 700).toArray(), IntStream.of(all).sorted().toArray());
        assertThrows(IllegalArgumentException.class, () -> TorchPermutation.first(5, 6, 0));
    }
}
