package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.Initializer;

/** First values that more than one method has. */
final class Starts {
    /** All elements 1. */
    static final Initializer ONES = (values, random) -> {
        float[] ones = new float[Math.toIntExact(values.length())];
        java.util.Arrays.fill(ones, 1);
        Arrays.write(values, 0, ones, 0, ones.length);
    };

    private Starts() {
    }

    /** Normal around 1. */
    static Initializer nearOne(double deviation) {
        return (values, random) -> {
            Initializer.normal(deviation).fill(values, random);
            float[] all = Arrays.toFloats(values);
            for (int i = 0; i < all.length; i++) {
                all[i] += 1;
            }
            Arrays.write(values, 0, all, 0, all.length);
        };
    }
}
