package io.peft4j.lora.init;

import io.peft4j.core.array.Float16;

/** Weights as bitsandbytes rounds them: what is left of values that were quantized and read again. */
final class RoundedWeights {
    private static final int BLOCK = 64;
    private static final float INT8 = 127;
    /** The quantiles of a normal distribution that four bits stand for. */
    private static final float[] NF4 = {-1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f, 0.07958029955625534f,
        0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
        0.7229568362236023f, 1f};

    private RoundedWeights() {
    }

    /** NF4: of each 64 values in their order the largest becomes 1, and each the nearest of 16 quantiles. */
    static float[] nf4(double[] values) {
        float[] rounded = new float[values.length];
        for (int from = 0; from < values.length; from += BLOCK) {
            int to = Math.min(values.length, from + BLOCK);
            float largest = largest(values, from, to);
            for (int i = from; i < to && largest > 0; i++) {
                rounded[i] = nearest((float) values[i] / largest) * largest;
            }
        }
        return rounded;
    }

    /**
     * Whole numbers: of each row, in half precision, the largest becomes 127, and each the nearest, ties to even.
     *
     * @param columns values of a row
     */
    static float[] int8(double[] values, int columns) {
        float[] rounded = new float[values.length];
        for (int from = 0; from < values.length; from += columns) {
            float largest = half(largest(values, from, from + columns));
            // In the order of bitsandbytes: near ties another one rounds differently.
            float steps = 1 / largest * INT8;
            for (int i = from; i < from + columns && largest > 0; i++) {
                rounded[i] = (float) Math.rint(half((float) values[i]) * steps) * largest * (1 / INT8);
            }
        }
        return rounded;
    }

    private static float half(float value) {
        return Float16.toFloat(Float16.fromFloat(value));
    }

    /** The largest absolute value as a float. */
    private static float largest(double[] values, int from, int to) {
        float largest = 0;
        for (int i = from; i < to; i++) {
            largest = Math.max(largest, Math.abs((float) values[i]));
        }
        return largest;
    }

    private static float nearest(float value) {
        int best = 0;
        while (best + 1 < NF4.length && value > (NF4[best] + NF4[best + 1]) / 2) {
            best++;
        }
        return NF4[best];
    }
}
