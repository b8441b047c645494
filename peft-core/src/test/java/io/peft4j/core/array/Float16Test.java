package io.peft4j.core.array;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class Float16Test {
    @Test
    void everyHalfHasItsValueAndComesBack() {
        for (int bits = 0; bits < 65536; bits++) {
            int exponent = bits >> 10 & 31;
            int mantissa = bits & 1023;
            double magnitude = exponent == 31 ? mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                    : exponent == 0 ? mantissa * 0x1p-24 : Math.scalb(1024 + mantissa, exponent - 25);
            float expected = (float) (bits < 32768 ? magnitude : -magnitude);
            float value = Float16.toFloat((short) bits);
            assertEquals(expected, value);
            if (!Float.isNaN(value)) {
                assertEquals((short) bits, Float16.fromFloat(value));
            } else {
                assertTrue(Float.isNaN(Float16.toFloat(Float16.fromFloat(value))));
            }
        }
    }

    @Test
    void halvesRoundToNearestTiesToEven() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            float low = Float16.toFloat((short) bits);
            float high = Float16.toFloat((short) (bits + 1));
            float middle = (low + high) / 2;
            int even = (bits & 1) == 0 ? bits : bits + 1;
            assertEquals(even, Float16.fromFloat(middle));
            assertEquals(bits, Float16.fromFloat(Math.nextDown(middle)));
            assertEquals(bits + 1, Float16.fromFloat(Math.nextUp(middle)));
            assertEquals(even | 0x8000, Float16.fromFloat(-middle) & 0xffff);
        }
        assertEquals(0x7bff, Float16.fromFloat(Math.nextDown(65520f)));
        assertEquals(0x7c00, Float16.fromFloat(65520f));
        assertEquals(0x7c00, Float16.fromFloat(Float.POSITIVE_INFINITY));
        assertEquals(0, Float16.fromFloat(Float.MIN_VALUE));
    }

    @Test
    void bfloat16RoundsToNearestTiesToEven() {
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            int bits = random.nextInt();
            float value = Float.intBitsToFloat(bits);
            float rounded = BFloat16.toFloat(BFloat16.fromFloat(value));
            if (Float.isNaN(value)) {
                assertTrue(Float.isNaN(rounded));
                continue;
            }
            float toZero = Float.intBitsToFloat(bits & 0xffff0000);
            float away = Float.intBitsToFloat((bits & 0xffff0000) + 0x10000);
            // Distances between floats of this closeness are exact in double; infinity is as far as its bits say.
            double below = Math.abs((double) value - toZero);
            double step = Math.ulp(toZero) * 65536.0;
            double above = Float.isInfinite(away) ? step - below : Math.abs((double) away - value);
            boolean even = (bits & 0x10000) == 0;
            float expected = below < above || below == above && even ? toZero : away;
            assertEquals(expected, rounded, () -> "of " + value);
        }
        assertEquals(0x3f80, BFloat16.fromFloat(Float.intBitsToFloat(0x3f808000)));
        assertEquals(0x3f82, BFloat16.fromFloat(Float.intBitsToFloat(0x3f818000)));
    }
}
