package io.peft4j.models.generation;

import java.util.Arrays;
import java.util.List;

/**
 * Which bytes lead to the same state, from states whose positions take the same sets of bytes.
 *
 * @param of for each byte the number of its group, -1 where no set has it
 * @param examples for each group its first byte
 */
record ByteGroups(short[] of, int[] examples) {
    private static final int BYTES = 256;

    /** Cuts the bytes by one set after the other; until the end groups count from 1 on, and 0 is that of no set. */
    static ByteGroups of(List<Rule.Bytes> sets) {
        short[] of = new short[BYTES];
        for (Rule.Bytes set : sets) {
            short[] cut = new short[2 * BYTES + 2];
            short count = 0;
            for (int value = 0; value < BYTES; value++) {
                int was = 2 * of[value] + (set.has(value) ? 1 : 0);
                if (was > 0 && cut[was] == 0) {
                    cut[was] = ++count;
                }
                of[value] = cut[was];
            }
        }
        int[] examples = new int[BYTES];
        int found = 0;
        for (int value = 0; value < BYTES; value++) {
            if (--of[value] == found) {
                examples[found++] = value;
            }
        }
        return new ByteGroups(of, Arrays.copyOf(examples, found));
    }
}
