package io.peft4j.train;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** The order of the examples in an epoch: depends on the seed and the epoch alone. */
final class EpochOrder {
    private EpochOrder() {
    }

    static int[] of(int examples, long seed, int epoch, boolean shuffle) {
        int[] order = IntStream.range(0, examples).toArray();
        if (shuffle) {
            SplittableRandom random = new SplittableRandom(Seeds.mix(seed, epoch));
            for (int i = examples - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swapped = order[i];
                order[i] = order[j];
                order[j] = swapped;
            }
        }
        return order;
    }
}
