package io.peft4j.core.array;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The memory of a step: temporaries are cut from native blocks, given back with {@link #free} or all at once with
 * {@link #reset}, and nothing is left to the garbage collector.
 *
 * <p>The first step finds out how much is needed; {@link #reset} then makes one block of that size, and later
 * steps of the same or a smaller size allocate nothing. Array headers of the step before are used again, so a step
 * whose shapes repeat makes no garbage either. Contents of a new array are undefined. Not thread-safe: one arena serves
 * one forward and backward pass at a time.
 */
@Internal(shared = true)
public final class Arena implements AutoCloseable {
    private static final long ALIGNMENT = 64;
    /** From this size on the C library gives each block pages of its own, which go back to the system with it. */
    private static final long SMALLEST_BLOCK = 32 << 20;
    /** Untouched pages take no memory, so that a new block may be much larger than what is needed yet. */
    private static final long LARGEST_SPARE_BLOCK = 1 << 30;
    private static final int GROWTH = 4;

    private final List<Block> blocks = new ArrayList<>();
    /** Of this pass. */
    private Map<HeaderKey, INDArray> headers = new HashMap<>();
    /** Of the pass before. Where shapes change, older ones are not met again. */
    private Map<HeaderKey, INDArray> formerHeaders = Map.of();
    private final Map<INDArray, Span> live = new IdentityHashMap<>();
    private long liveBytes;
    private long peakBytes;
    /** The size of the block that was made of several. */
    private long joined;
    private boolean closed;

    /** An array of the given type and shape with undefined contents, valid until it is freed or the arena is reset. */
    public INDArray allocate(DataType type, long... shape) {
        if (closed) {
            throw new IllegalStateException("the arena is closed");
        }
        long elements = 1;
        for (long size : shape) {
            elements = Math.multiplyExact(elements, size);
        }
        if (elements <= 0) {
            throw new IllegalArgumentException("an array needs at least one element, asked for shape "
                    + java.util.Arrays.toString(shape));
        }
        long bytes = (Math.multiplyExact(elements, Arrays.bytes(type)) + ALIGNMENT - 1) & -ALIGNMENT;
        Span span = take(bytes);
        INDArray array = header(span, type, shape);
        live.put(array, span);
        liveBytes += bytes;
        peakBytes = Math.max(peakBytes, liveBytes);
        return array;
    }

    /** An array of zeros. */
    public INDArray zeros(DataType type, long... shape) {
        INDArray array = allocate(type, shape);
        Arrays.clear(array);
        return array;
    }

    /**
     * Rows {@code from} (inclusive) to {@code to} (exclusive) of a live matrix of this arena, as a view of the same
     * memory: valid as long as the matrix, not to be freed.
     */
    public INDArray rows(INDArray matrix, int from, int to) {
        Span span = live.get(matrix);
        if (span == null || from < 0 || to <= from || to > Arrays.rows(matrix)) {
            throw new IllegalArgumentException("rows " + from + " to " + to + " of " + (span == null
                    ? "something that is not a live array of this arena" : "a matrix of " + Arrays.rows(matrix)));
        }
        long rowBytes = (long) Arrays.columns(matrix) * Arrays.bytes(matrix.dataType());
        return header(new Span(span.block(), span.offset() + from * rowBytes, (to - from) * rowBytes),
                matrix.dataType(), new long[] {to - from, Arrays.columns(matrix)});
    }

    /**
     * Gives the memory of {@code array} back for use by later allocations.
     *
     * @throws IllegalArgumentException when the array is not a live array of this arena
     */
    public void free(INDArray array) {
        Span span = live.remove(array);
        if (span == null) {
            throw new IllegalArgumentException("not a live array of this arena (freed twice?)");
        }
        span.block().free.release(span.offset(), span.bytes());
        liveBytes -= span.bytes();
    }

    /** Gives everything back. Arrays taken before must not be used any more. */
    public void reset() {
        live.clear();
        liveBytes = 0;
        if (blocks.size() > 1) {
            // Arrays of one block lie closer together than those of several. Where a quarter is not enough after all,
            // another block comes, and all of it is kept the next time.
            long spread = peakBytes + peakBytes / 4;
            long total = joined < spread ? Math.min(spread, capacityBytes()) : capacityBytes();
            joined = total;
            releaseBlocks();
            // What a pass of a new size has left behind elsewhere, such as that of compiled kernels.
            NativeMemory.trim();
            blocks.add(new Block(total));
        } else {
            blocks.forEach(b -> b.free.clear(b.size));
        }
        formerHeaders = headers;
        headers = new HashMap<>();
    }

    /** The bytes of the arrays that are live now, each rounded up to a multiple of 64. */
    public long liveBytes() {
        return liveBytes;
    }

    /** The largest sum of live bytes so far. */
    public long peakBytes() {
        return peakBytes;
    }

    /** The bytes of native memory that the arena holds now, whether pages of it were ever touched or not. */
    public long capacityBytes() {
        return blocks.stream().mapToLong(b -> b.size).sum();
    }

    /** Frees the native memory; all arrays of the arena become invalid. */
    @Override
    public void close() {
        closed = true;
        live.clear();
        releaseBlocks();
    }

    private void releaseBlocks() {
        headers = new HashMap<>();
        formerHeaders = Map.of();
        blocks.forEach(b -> NativeMemory.free(b.memory));
        blocks.clear();
    }

    private Span take(long bytes) {
        for (Block block : blocks) {
            long offset = block.free.take(bytes);
            if (offset >= 0) {
                return new Span(block, offset, bytes);
            }
        }
        Block block = newBlock(bytes);
        blocks.add(block);
        return new Span(block, block.free.take(bytes), bytes);
    }

    private Block newBlock(long bytes) {
        long spare = Math.max(SMALLEST_BLOCK, Math.min(LARGEST_SPARE_BLOCK, GROWTH * capacityBytes()));
        try {
            return new Block(Math.max(bytes, spare));
        } catch (OutOfMemoryError e) {
            if (bytes >= spare) {
                throw e;
            }
            return new Block(bytes);
        }
    }

    private INDArray header(Span span, DataType type, long[] shape) {
        HeaderKey key = new HeaderKey(span.block().base + span.offset(), type, shape.length,
                shape[0], shape.length > 1 ? shape[1] : 1);
        if (shape.length > 2) {
            return Arrays.wrap(span.pointer(), type, shape);
        }
        return headers.computeIfAbsent(key, k -> {
            INDArray former = formerHeaders.get(k);
            return former == null ? Arrays.wrap(span.pointer(), type, shape) : former;
        });
    }

    private record HeaderKey(long address, DataType type, int rank, long rows, long columns) {
    }

    private record Span(Block block, long offset, long bytes) {
        Pointer pointer() {
            return NativeMemory.pointer(block.base + offset, bytes);
        }
    }

    private static final class Block {
        final long memory;
        final long base;
        final long size;
        final FreeList free;

        Block(long size) {
            this.size = size;
            this.memory = NativeMemory.allocate(size + ALIGNMENT);
            this.base = (memory + ALIGNMENT - 1) & -ALIGNMENT;
            this.free = new FreeList(size);
        }
    }

    /** The free spans of a memory block, sorted by offset; first fit, neighbours are joined when a span comes back. */
    private static final class FreeList {
        private long[] starts = new long[64];
        private long[] ends = new long[64];
        private int count;

        FreeList(long size) {
            clear(size);
        }

        /** Makes the whole block free again. */
        void clear(long size) {
            starts[0] = 0;
            ends[0] = size;
            count = 1;
        }

        /** Takes {@code bytes} and returns their offset, or -1 where no span is long enough. */
        long take(long bytes) {
            for (int i = 0; i < count; i++) {
                if (ends[i] - starts[i] >= bytes) {
                    long offset = starts[i];
                    starts[i] += bytes;
                    if (starts[i] == ends[i]) {
                        remove(i);
                    }
                    return offset;
                }
            }
            return -1;
        }

        /** Gives a span back. */
        void release(long offset, long bytes) {
            int i = java.util.Arrays.binarySearch(starts, 0, count, offset);
            i = i < 0 ? -i - 1 : i;
            boolean joinsLeft = i > 0 && ends[i - 1] == offset;
            boolean joinsRight = i < count && starts[i] == offset + bytes;
            if (joinsLeft && joinsRight) {
                ends[i - 1] = ends[i];
                remove(i);
            } else if (joinsLeft) {
                ends[i - 1] = offset + bytes;
            } else if (joinsRight) {
                starts[i] = offset;
            } else {
                insert(i, offset, offset + bytes);
            }
        }

        private void remove(int i) {
            System.arraycopy(starts, i + 1, starts, i, count - i - 1);
            System.arraycopy(ends, i + 1, ends, i, count - i - 1);
            count--;
        }

        private void insert(int i, long start, long end) {
            if (count == starts.length) {
                starts = java.util.Arrays.copyOf(starts, 2 * count);
                ends = java.util.Arrays.copyOf(ends, 2 * count);
            }
            System.arraycopy(starts, i, starts, i + 1, count - i);
            System.arraycopy(ends, i, ends, i + 1, count - i);
            starts[i] = start;
            ends[i] = end;
            count++;
        }
    }
}
