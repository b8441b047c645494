package io.peft4j.vector.internal;

import jdk.incubator.vector.FloatVector;

/**
 * Sums the lanes of a vector that lies in an array, always in the same order: halves are added until one lane is left.
 * The Vector API's own reduction adds in an order that differs between the interpreter and the compilers of some JVMs,
 * and so would the bits of a result.
 */
final class LaneSums {
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();
    private static final int WIDE = 16;

    private LaneSums() {
    }

    /** The sum of the lanes of the vector at {@code a}; there are at least eight. */
    static float of(float[] x, int a) {
        if (LANES == WIDE) {
            return x[a] + x[a + 8] + (x[a + 4] + x[a + 12]) + (x[a + 2] + x[a + 10] + (x[a + 6] + x[a + 14]))
                    + (x[a + 1] + x[a + 9] + (x[a + 5] + x[a + 13]) + (x[a + 3] + x[a + 11] + (x[a + 7] + x[a + 15])));
        }
        float sum = 0;
        for (int i = a; i < a + LANES; i += 8) {
            sum += x[i] + x[i + 4] + (x[i + 2] + x[i + 6]) + (x[i + 1] + x[i + 5] + (x[i + 3] + x[i + 7]));
        }
        return sum;
    }
}
