package io.peft4j.core.array;

import java.util.Arrays;

/** The free spans of a memory block, sorted by offset; first fit, neighbours are joined when a span comes back. */
final class FreeList {
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
        int i = Arrays.binarySearch(starts, 0, count, offset);
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
            starts = Arrays.copyOf(starts, 2 * count);
            ends = Arrays.copyOf(ends, 2 * count);
        }
        System.arraycopy(starts, i, starts, i + 1, count - i);
        System.arraycopy(ends, i, ends, i + 1, count - i);
        starts[i] = start;
        ends[i] = end;
        count++;
    }
}
