package io.peft4j.lora;

import java.util.random.RandomGenerator;

/**
 * Chooses at random which values are kept. Asked in the order of the layers; for each, for all adapters' A, then for
 * all adapters' B, or for all adapters' products.
 */
@FunctionalInterface
public interface DropMask {
    /**
     * Which values are kept.
     *
     * @param values their number
     * @param density probability of each
     */
    boolean[] draw(int values, double density);

    /** Independent draws. */
    static DropMask random(RandomGenerator random) {
        return (values, density) -> {
            boolean[] kept = new boolean[values];
            for (int i = 0; i < values; i++) {
                kept[i] = random.nextDouble() < density;
            }
            return kept;
        };
    }
}
