package io.peft4j.data.clean;

import io.peft4j.data.example.Example;
import io.peft4j.data.near.ExactKey;
import java.util.Arrays;
import java.util.Optional;

/** Drops examples that are equal to an earlier one but for white space; eight bytes an example. */
final class DropDuplicates implements CleaningStep {
    private long[] seen = new long[1 << 10];
    private int size;

    @Override
    public String name() {
        return "duplicates";
    }

    @Override
    public Optional<Example> apply(Example example) {
        return add(ExactKey.of(example)) ? Optional.of(example) : Optional.empty();
    }

    /** Adds a hash to a table with open addressing; false where it was there. */
    private boolean add(long hash) {
        long key = hash == 0 ? 1 : hash;
        int slot = (int) (key & seen.length - 1);
        while (seen[slot] != 0) {
            if (seen[slot] == key) {
                return false;
            }
            slot = slot + 1 & seen.length - 1;
        }
        seen[slot] = key;
        size++;
        if (2 * size > seen.length) {
            long[] before = seen;
            seen = new long[2 * before.length];
            size = 0;
            Arrays.stream(before).filter(old -> old != 0).forEach(this::add);
        }
        return true;
    }
}
