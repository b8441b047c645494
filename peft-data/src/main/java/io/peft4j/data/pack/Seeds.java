package io.peft4j.data.pack;

import io.peft4j.core.Internal;
import java.util.SplittableRandom;

/** Seeds for the parts of a training, each as far from the others as chance would put it. */
@Internal(shared = true)
public final class Seeds {
    private Seeds() {
    }

    /** A seed that depends on all of the numbers: neighbouring ones give unrelated seeds. */
    public static long mix(long seed, long... parts) {
        long mixed = scramble(seed);
        for (long part : parts) {
            mixed = scramble(mixed ^ scramble(part + 0x9E3779B97F4A7C15L));
        }
        return mixed;
    }

    /** Numbers in an order by chance; in place. */
    public static int[] shuffled(SplittableRandom random, int... numbers) {
        for (int i = numbers.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = numbers[i];
            numbers[i] = numbers[j];
            numbers[j] = swapped;
        }
        return numbers;
    }

    /** The last steps of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
    private static long scramble(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
