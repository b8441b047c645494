package io.peft4j.train.optimizer;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Values in 8 bits, in blocks of {@value #BLOCK}: each is one of 256 values of {@link #map}, times the largest absolute
 * value of its block.
 */
final class BlockMoments {
    private static final int BLOCK = 256;
    private static final int CODES = 256;
    private static final int EXPONENTS = 7;

    private final float[] values;
    private final INDArray codes;
    private final INDArray largest;

    /**
     * All 0.
     *
     * @param signed whether values may be below 0; if not, they are twice as fine
     */
    BlockMoments(boolean signed, long length) {
        values = map(signed);
        // The type has no place in the engine, which never sees these.
        codes = Nd4j.createUninitializedDetached(DataType.UBYTE, length);
        NativeMemory.clear(Arrays.address(codes), length);
        largest = Arrays.zeros(DataType.FLOAT, (length + BLOCK - 1) / BLOCK);
    }

    /**
     * The values of bitsandbytes' dynamic map, ascending: 0, 1, and for each power of ten from 1e-6 to 1 the middles of
     * as many equal parts of a tenth of it to all of it as are left bits.
     */
    static float[] map(boolean signed) {
        float[] all = new float[CODES];
        int count = 0;
        for (int i = 0; i < EXPONENTS; i++) {
            int parts = signed ? 1 << i : 2 << i;
            for (int k = 0; k < parts; k++) {
                float middle = (edge(k, parts) + edge(k + 1, parts)) / 2;
                float value = (float) (Math.pow(10, i + 1 - EXPONENTS) * middle);
                all[count++] = value;
                if (signed) {
                    all[count++] = -value;
                }
            }
        }
        all[count] = 0;
        all[count + 1] = 1;
        java.util.Arrays.sort(all);
        return all;
    }

    private static float edge(int k, int parts) {
        return (float) (0.1 + 0.9 * k / parts);
    }

    /** Reads values; {@code first} begins a block. */
    float[] read(long first, int count) {
        byte[] bytes = new byte[count];
        NativeMemory.read(Arrays.address(codes) + first, bytes, 0, count);
        float[] scales = HeapTiles.read(largest, first / BLOCK, (count + BLOCK - 1) / BLOCK);
        float[] result = new float[count];
        for (int i = 0; i < count; i++) {
            result[i] = values[bytes[i] & 0xff] * scales[i / BLOCK];
        }
        return result;
    }

    /** Writes values; {@code first} begins a block, and they end with one or with the last value. */
    void write(long first, float[] given) {
        byte[] bytes = new byte[given.length];
        float[] scales = new float[(given.length + BLOCK - 1) / BLOCK];
        for (int from = 0; from < given.length; from += BLOCK) {
            int to = Math.min(given.length, from + BLOCK);
            float max = 0;
            for (int i = from; i < to; i++) {
                max = Math.max(max, Math.abs(given[i]));
            }
            scales[from / BLOCK] = max;
            for (int i = from; i < to; i++) {
                bytes[i] = (byte) nearest(max == 0 ? 0 : given[i] / max);
            }
        }
        NativeMemory.write(Arrays.address(codes) + first, bytes, 0, bytes.length);
        HeapTiles.write(largest, first / BLOCK, scales);
    }

    private int nearest(float value) {
        int place = java.util.Arrays.binarySearch(values, value);
        if (place >= 0) {
            return place;
        }
        int above = -place - 1;
        if (above == 0 || above == CODES) {
            return above == 0 ? 0 : CODES - 1;
        }
        return value - values[above - 1] <= values[above] - value ? above - 1 : above;
    }

    Map<String, INDArray> arrays(String name) {
        return Map.of(name, codes, name + "_absmax", largest);
    }
}
