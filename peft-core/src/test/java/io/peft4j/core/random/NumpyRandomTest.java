package io.peft4j.core.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against {@code numpy.random.default_rng(seed)} of NumPy 2.4. */
class NumpyRandomTest {
    @Test
    void shufflesEqualNumpy() {
        assertShuffled(0, 4, 6, 2, 7, 3, 5, 9, 0, 8, 1);
        assertShuffled(42, 5, 6, 0, 7, 3, 2, 4, 9, 1, 8);
        assertShuffled(7_000_000_123L, 7, 0, 2, 3, 9, 6, 1, 5, 4, 8);
    }

    private static void assertShuffled(long seed, int... expected) {
        int[] values = IntStream.range(0, 10).toArray();
        new NumpyRandom(seed).shuffle(values);
        assertArrayEquals(expected, values);
    }

    /** One after the other from one generator: few of few, many of many, few of many. */
    @Test
    void choicesEqualNumpy() {
        NumpyRandom random = new NumpyRandom(42);
        assertArrayEquals(new int[] {19, 16, 7, 10, 1, 11, 17}, random.choice(20, 7));
        assertArrayEquals(new int[] {4672, 15199, 5107, 9887, 13938, 9572},
                java.util.Arrays.copyOf(random.choice(20_000, 1000), 6));
        assertArrayEquals(new int[] {1339, 20594, 21864, 12427},
                java.util.Arrays.copyOfRange(random.choice(30_000, 100), 96, 100));
        assertThrows(IllegalArgumentException.class, () -> random.choice(3, 4));
    }
}
