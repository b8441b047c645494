package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/**
 * Heads and sizes of a scan; see {@link SequenceKernels#scan}.
 *
 * @param keyHeads heads of queries and keys; each serves {@code valueHeads / keyHeads} heads of values, neighbours
 * @param valueHeads heads of values, each with a state of its own
 * @param keySize Dk, elements of a head of queries and keys
 * @param valueSize Dv, elements of a head of values
 */
@Internal(shared = true)
public record ScanShape(int keyHeads, int valueHeads, int keySize, int valueSize) {
    /** Refuses heads that cannot be shared evenly. */
    public ScanShape {
        if (keyHeads < 1 || keySize < 1 || valueSize < 1 || valueHeads < 1 || valueHeads % keyHeads != 0) {
            throw new IllegalArgumentException("a scan cannot have " + keyHeads + " key heads of size " + keySize
                    + " for " + valueHeads + " value heads of size " + valueSize);
        }
    }

    /** Columns of queries and of keys. */
    public int keyColumns() {
        return keyHeads * keySize;
    }

    /** Columns of values and results. */
    public int valueColumns() {
        return valueHeads * valueSize;
    }

    /** Elements of the states of all heads. */
    public int stateSize() {
        return valueHeads * keySize * valueSize;
    }

    /** The head of keys that a head of values belongs to. */
    public int keyHead(int valueHead) {
        return valueHead / (valueHeads / keyHeads);
    }
}
