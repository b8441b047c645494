package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Arrays that are added to scores: 0 where a key is visible, minus infinity elsewhere. They depend on few small
 * numbers and are kept.
 */
final class Masks implements AutoCloseable {
    private static final int MOST = 128;
    private static final float LOAD = 0.75f;

    private record Key(int copies, int rows, int columns, int visible, boolean causal) {
    }

    private final Map<Key, FloatPointer> masks = new LinkedHashMap<>(MOST, LOAD, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, FloatPointer> eldest) {
            if (size() <= MOST) {
                return false;
            }
            eldest.getValue().deallocate();
            return true;
        }
    };

    /** The address of the mask [copies x rows, part.padded()] of a part: that of its rows, several times. */
    long address(AttentionPlan.KeyPart part, int copies, int rows) {
        return masks.computeIfAbsent(new Key(copies, rows, part.padded(), part.visible(), part.causal()),
                Masks::make).address();
    }

    private static FloatPointer make(Key key) {
        FloatPointer mask = new FloatPointer((long) key.copies() * key.rows() * key.columns());
        float[] row = new float[key.columns()];
        for (int i = 0; i < key.copies() * key.rows(); i++) {
            int visible = Math.min(key.columns(), key.visible() + (key.causal() ? i % key.rows() : 0));
            Arrays.fill(row, 0, visible, 0f);
            Arrays.fill(row, visible, row.length, Float.NEGATIVE_INFINITY);
            NativeMemory.write(mask.address() + 4L * i * row.length, row, 0, row.length);
        }
        return mask;
    }

    @Override
    public void close() {
        masks.values().forEach(FloatPointer::deallocate);
        masks.clear();
    }
}
