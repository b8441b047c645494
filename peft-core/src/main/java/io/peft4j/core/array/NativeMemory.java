package io.peft4j.core.array;

import io.peft4j.core.Internal;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/**
 * Bulk copies between native memory at an address and Java heap arrays.
 *
 * <p>Loops over heap arrays are vectorized by the JIT compiler, loops over native memory are not, so kernels copy a
 * tile to the heap, work on it and copy it back. Addresses are not checked: callers take them from arrays whose shape
 * they have checked.
 */
@Internal(shared = true)
public final class NativeMemory {
    private static final ThreadLocal<Floats> FLOATS = ThreadLocal.withInitial(Floats::new);
    private static final ThreadLocal<Ints> INTS = ThreadLocal.withInitial(Ints::new);
    private static final ThreadLocal<Shorts> SHORTS = ThreadLocal.withInitial(Shorts::new);
    private static final ThreadLocal<Bytes> BYTES = ThreadLocal.withInitial(Bytes::new);
    private static final ThreadLocal<Bytes> TARGETS = ThreadLocal.withInitial(Bytes::new);

    private static final AtomicLong BLOCKS = new AtomicLong();

    private NativeMemory() {
    }

    /** Copies {@code count} floats from {@code address} into {@code target} at {@code offset}. */
    public static void read(long address, float[] target, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, target.length);
        FLOATS.get().at(address).get(target, offset, count);
    }

    /** Copies {@code count} floats of {@code source} from {@code offset} to {@code address}. */
    public static void write(long address, float[] source, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, source.length);
        FLOATS.get().at(address).put(source, offset, count);
    }

    /** Copies {@code count} 32-bit words from {@code address} into {@code target} at {@code offset}. */
    public static void read(long address, int[] target, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, target.length);
        INTS.get().at(address).get(target, offset, count);
    }

    /** Copies {@code count} 32-bit words of {@code source} from {@code offset} to {@code address}. */
    public static void write(long address, int[] source, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, source.length);
        INTS.get().at(address).put(source, offset, count);
    }

    /** Copies {@code count} 16-bit words from {@code address} into {@code target} at {@code offset}. */
    public static void read(long address, short[] target, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, target.length);
        SHORTS.get().at(address).get(target, offset, count);
    }

    /** Copies {@code count} 16-bit words of {@code source} from {@code offset} to {@code address}. */
    public static void write(long address, short[] source, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, source.length);
        SHORTS.get().at(address).put(source, offset, count);
    }

    /** Copies {@code count} bytes from {@code address} into {@code target} at {@code offset}. */
    public static void read(long address, byte[] target, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, target.length);
        BYTES.get().at(address).get(target, offset, count);
    }

    /** Copies {@code count} bytes of {@code source} from {@code offset} to {@code address}. */
    public static void write(long address, byte[] source, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, source.length);
        BYTES.get().at(address).put(source, offset, count);
    }

    /** Copies {@code bytes} bytes from one address to another; the ranges must not overlap. */
    public static void copy(long from, long to, long bytes) {
        Pointer.memcpy(TARGETS.get().at(to), BYTES.get().at(from), bytes);
    }

    /**
     * Copies the rows of a matrix to another place.
     *
     * @param fromStride bytes from the begin of a row to that of the next
     * @param toStride the same where they are written
     * @param rowBytes bytes of a row
     */
    public static void copyRows(long from, long fromStride, long to, long toStride, long rowBytes, int rows) {
        if (fromStride == rowBytes && toStride == rowBytes) {
            copy(from, to, rowBytes * rows);
            return;
        }
        for (int i = 0; i < rows; i++) {
            copy(from + i * fromStride, to + i * toStride, rowBytes);
        }
    }

    /** Sets {@code bytes} bytes from {@code address} on to zero. */
    public static void clear(long address, long bytes) {
        Pointer.memset(BYTES.get().at(address), 0, bytes);
    }

    /**
     * New memory with undefined contents. It does not count against JavaCPP's limits, which are derived from the size
     * of the Java heap and have nothing to do with how much native memory there is.
     *
     * @return its address, aligned to 16 bytes; {@link #free} gives it back
     * @throws OutOfMemoryError when the system has none left
     */
    public static long allocate(long bytes) {
        return address(bytes, Pointer::malloc);
    }

    private static long address(long bytes, LongFunction<Pointer> way) {
        Pointer memory = way.apply(bytes);
        if (memory == null || memory.isNull()) {
            throw new OutOfMemoryError("the system has less than " + bytes + " bytes of memory left");
        }
        BLOCKS.incrementAndGet();
        return memory.address();
    }

    /** How many blocks this process has allocated or reserved and not freed. */
    public static long blocks() {
        return BLOCKS.get();
    }

    /**
     * As {@link #allocate}, of zeros. The system gives large memory when it is first written to, so what is never used
     * costs nothing.
     */
    public static long reserve(long bytes) {
        return address(bytes, size -> Pointer.calloc(1, size));
    }

    /** Frees what {@link #allocate} or {@link #reserve} returned; once, and it must not be used afterwards. */
    public static void free(long address) {
        Pointer.free(new Bytes().at(address));
        BLOCKS.decrementAndGet();
    }

    /**
     * Gives memory that has been freed back to the system, as far as the C library can: without this it keeps what lies
     * between memory in use. It takes milliseconds; for after work that has freed a lot and does not come again soon,
     * such as loading.
     */
    public static void trim() {
        Pointer.trimMemory();
    }

    /** A pointer to {@code bytes} bytes at {@code address} that other code owns and keeps alive. */
    public static Pointer pointer(long address, long bytes) {
        return new Bytes().at(address).limit(bytes).capacity(bytes);
    }

    private static final class Floats extends FloatPointer {
        Floats() {
            super((Pointer) null);
        }

        Floats at(long newAddress) {
            address = newAddress;
            return this;
        }
    }

    private static final class Ints extends IntPointer {
        Ints() {
            super((Pointer) null);
        }

        Ints at(long newAddress) {
            address = newAddress;
            return this;
        }
    }

    private static final class Shorts extends ShortPointer {
        Shorts() {
            super((Pointer) null);
        }

        Shorts at(long newAddress) {
            address = newAddress;
            return this;
        }
    }

    private static final class Bytes extends BytePointer {
        Bytes() {
            super((Pointer) null);
        }

        Bytes at(long newAddress) {
            address = newAddress;
            return this;
        }
    }
}
