package io.peft4j.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class FourBitEncoderTest {
    private static float[] roundTrip(float... values) {
        byte[] bytes = new byte[(int) FourBitEncoder.TYPE.bytes(values.length)];
        new FourBitEncoder().encode(values, 0, values.length / 32, bytes, 0);
        float[] read = new float[values.length];
        FourBitEncoder.TYPE.decode(bytes, values.length / 32, read, 0);
        return read;
    }

    @Test
    void valuesOnTheLevelsAreKept() {
        float[] values = new float[64];
        for (int i = 0; i < 64; i++) {
            values[i] = (i < 32 ? 0.25f : -0.5f) * (i * 7 % 16) - 1f;
        }
        assertArrayEquals(values, roundTrip(values));
    }

    @Test
    void aBlockOfEqualValuesIsKeptToHalfPrecision() {
        float[] values = new float[32];
        java.util.Arrays.fill(values, 0.1f);
        for (float value : roundTrip(values)) {
            assertEquals(0.1f, value, 0.1 / 2048);
        }
        assertArrayEquals(new float[32], roundTrip(new float[32]));
    }

    /** What rounding to the 16 levels between smallest and largest value of a block gives, the textbook way. */
    private static double plainError(float[] values) {
        double sum = 0;
        for (int block = 0; block < values.length; block += 32) {
            float low = Float.POSITIVE_INFINITY;
            float high = Float.NEGATIVE_INFINITY;
            for (int i = block; i < block + 32; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
            double step = (high - low) / 15.0;
            for (int i = block; i < block + 32; i++) {
                double off = Math.rint((values[i] - low) / step) * step + low - values[i];
                sum += off * off;
            }
        }
        return sum;
    }

    @Test
    void theFitBeatsPlainRounding() {
        Random random = new Random(5);
        float[] values = new float[32 * 400];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.03 * random.nextGaussian());
        }
        float[] read = roundTrip(values);
        double fitted = 0;
        double size = 0;
        for (int i = 0; i < values.length; i++) {
            fitted += Math.pow(read[i] - values[i], 2);
            size += values[i] * (double) values[i];
        }
        // The search gains about a tenth on normally distributed values; 0.95 holds for any seed.
        assertTrue(fitted < 0.95 * plainError(values), fitted + " against " + plainError(values));
        // A uniform error over a step of 4.1 deviations / 15: about 8 percent.
        assertEquals(0.075, Math.sqrt(fitted / size), 0.01);
    }

    @Test
    void valuesBeyondHalfPrecisionAreRefused() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 70_000f, -70_000f}) {
            float[] values = new float[32];
            values[7] = bad;
            assertThrows(IllegalArgumentException.class, () -> roundTrip(values));
        }
        assertThrows(IndexOutOfBoundsException.class,
                () -> new FourBitEncoder().encode(new float[32], 1, 1, new byte[20], 0));
    }

    @Test
    void aLongTailDoesNotTakeAllLevels() {
        Random random = new Random(6);
        float[] values = new float[32 * 100];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * (i % 32 == 5 ? 4 : 1));
        }
        float[] read = roundTrip(values);
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += Math.pow(read[i] - values[i], 2);
        }
        assertTrue(sum <= plainError(values) * 1.001, sum + " against " + plainError(values));
    }
}
