package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Many elements at once are dropped as one by one. */
class DropoutMaskTest {
    @Test
    void manyElementsAreDroppedAsOneByOne() {
        Random random = new Random(4);
        float[] chances = {0, 0.1f, 0.5f, 0x1.fffffep-1f, 0x1p-24f, 0x1p-25f};
        for (int n = 0; n < 60; n++) {
            float p = n < chances.length ? chances[n] : random.nextFloat();
            long seed = random.nextLong();
            long first = n % 2 == 0 ? 0 : random.nextLong() >>> 1;
            float[] x = new float[2500];
            java.util.Arrays.fill(x, 3);
            DropoutMask.apply(x, 2100, seed, first, p, new long[DropoutMask.TILE]);
            for (int i = 0; i < x.length; i++) {
                float expected = DropoutMask.keeps(seed, first + i, p) ? 3 * (float) (1 / (1.0 - p)) : 0;
                assertEquals(i < 2100 ? expected : 3, x[i], "element " + i + ", p " + p);
            }
        }
    }

    /** Splitmix64's finalizer; a training that is resumed must drop the same elements after an update of ours. */
    @Test
    void theHashStaysTheSame() {
        StringBuilder kept = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            kept.append(DropoutMask.keeps(42, i, 0.5f) ? '1' : '0');
        }
        assertEquals("1100001010100111000011011001111111110001", kept.toString());
    }
}
