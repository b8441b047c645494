package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ExponentialTest {
    private final Exponential exponential = new Exponential();

    @Test
    void relativeErrorIsThatOfOneOrTwoRoundings() {
        Random random = new Random(2);
        float[] x = new float[ThreadScratch.TILE];
        float[] y = new float[ThreadScratch.TILE];
        double worst = 0;
        for (int round = 0; round < 2000; round++) {
            double width = round % 2 == 0 ? 1 : Exponential.HIGHEST - Exponential.LOWEST;
            double low = round % 2 == 0 ? -0.5 : Exponential.LOWEST;
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) (low + width * random.nextDouble());
            }
            exponential.apply(x, y, x.length);
            for (int i = 0; i < x.length; i++) {
                worst = Math.max(worst, Math.abs(y[i] / Math.exp(x[i]) - 1));
            }
        }
        assertTrue(worst <= 2e-7, "relative error " + worst);
    }

    @Test
    void specialValues() {
        float[] x = {0, -0f, Exponential.HIGHEST, Exponential.LOWEST, -1000, Float.NEGATIVE_INFINITY, Float.NaN, 1};
        float[] y = new float[x.length];
        exponential.apply(x, y, x.length);
        assertEquals(1, y[0]);
        assertEquals(1, y[1]);
        assertEquals(Math.exp(Exponential.HIGHEST), y[2], 2e-7 * y[2]);
        assertEquals(0, y[3], 2e-38);
        assertEquals(0, y[4], 2e-38);
        assertEquals(0, y[5], 2e-38);
        assertTrue(Float.isNaN(y[6]));
        assertEquals(Math.E, y[7], 1e-6);
    }

    @Test
    void worksInPlaceOnShortArrays() {
        for (int count : new int[] {0, 1, 3, 17}) {
            float[] x = new float[20];
            java.util.Arrays.fill(x, 2);
            exponential.apply(x, x, count);
            for (int i = 0; i < x.length; i++) {
                assertEquals(i < count ? (float) Math.exp(2) : 2, x[i], 2e-6);
            }
        }
    }
}
