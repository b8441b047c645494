package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The elements of an array as {@link Elements} reads and writes them, for pieces of some hundred: a call into native
 * code takes longer than to copy so few, so they are copied through a buffer over the array where one reaches.
 */
final class SmallPieces {
    private final Elements elements;
    private final boolean reached;
    private final ShortBuffer shorts;
    private final FloatBuffer floats;

    private SmallPieces(INDArray array) {
        elements = Elements.of(array);
        long bytes = array.length() * (elements.narrow() ? Short.BYTES : Float.BYTES);
        reached = bytes <= Integer.MAX_VALUE;
        ByteBuffer memory = reached ? NativeMemory.pointer(Arrays.address(array), bytes).asByteBuffer()
                : ByteBuffer.allocate(0);
        memory.order(ByteOrder.nativeOrder());
        shorts = memory.asShortBuffer();
        floats = memory.asFloatBuffer();
    }

    static SmallPieces of(INDArray array) {
        return new SmallPieces(array);
    }

    /** Reads {@code count} elements from element {@code first} on to the start of {@code target}. */
    void read(long first, float[] target, int count, Tiles lane) {
        if (!reached) {
            elements.read(first, target, count, lane);
        } else if (elements.narrow()) {
            short[] bits = lane.shorts(count);
            shorts.get((int) first, bits, 0, count);
            lane.loops().widen(bits, target, count);
        } else {
            floats.get((int) first, target, 0, count);
        }
    }

    /** Writes the first {@code count} floats of {@code source} to the elements from {@code first} on. */
    void write(long first, float[] source, int count, Tiles lane) {
        if (!reached) {
            elements.write(first, source, count, lane);
        } else if (elements.narrow()) {
            short[] bits = lane.shorts(count);
            lane.loops().narrow(source, bits, count);
            shorts.put((int) first, bits, 0, count);
        } else {
            floats.put((int) first, source, 0, count);
        }
    }
}
