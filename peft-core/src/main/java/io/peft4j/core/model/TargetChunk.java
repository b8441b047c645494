package io.peft4j.core.model;

import io.peft4j.core.nn.PackedBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Targets whose logits are computed together.
 *
 * @param targets all targets of the batch
 * @param from number of the first
 * @param to number after the last one
 */
record TargetChunk(PackedBatch.Targets targets, int from, int to) {
    /** Kernels are fastest on multiples of this. */
    static final int ROW_UNIT = 16;

    /** All targets in chunks of about the same size: a small one at the end would take as long as a large one. */
    static List<TargetChunk> of(PackedBatch.Targets targets, int mostRows) {
        int count = (targets.count() + mostRows - 1) / mostRows;
        int size = Math.min(mostRows, ((targets.count() + count - 1) / count + ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT);
        List<TargetChunk> chunks = new ArrayList<>(count);
        for (int from = 0; from < targets.count(); from += size) {
            chunks.add(new TargetChunk(targets, from, Math.min(targets.count(), from + size)));
        }
        return chunks;
    }

    int size() {
        return to - from;
    }

    int[] ids() {
        return Arrays.copyOfRange(targets.ids(), from, to);
    }

    float[] of(float[] values) {
        return Arrays.copyOfRange(values, from, to);
    }
}
