package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * Scratch memory handed out like a stack: {@link #take} on top, {@link #release} back to a {@link #mark}. When it is
 * empty again the blocks are joined into one, so that after the first call nothing is allocated. Not thread-safe.
 */
final class Scratch implements AutoCloseable {
    private static final long ALIGNMENT = 64;
    /**
     * From this size on the C library gives each block pages of its own: untouched ones take no memory, and
     * none stay behind when blocks are joined.
     */
    private static final long SMALLEST_BLOCK = 32 << 20;
    private static final int BLOCK_SHIFT = 40;

    private final List<Block> blocks = new ArrayList<>();
    private int current;

    /** The address of {@code bytes} bytes of undefined contents, aligned to a cache line. */
    long take(long bytes) {
        long size = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
        while (current < blocks.size()) {
            Block block = blocks.get(current);
            if (block.used + size <= block.size) {
                block.used += size;
                return block.base + block.used - size;
            }
            if (current + 1 == blocks.size()) {
                break;
            }
            blocks.get(++current).used = 0;
        }
        Block block = new Block(Math.max(size, Math.max(SMALLEST_BLOCK, total())));
        blocks.add(block);
        current = blocks.size() - 1;
        block.used = size;
        return block.base;
    }

    /** The present height of the stack. */
    long mark() {
        return blocks.isEmpty() ? 0 : (long) current << BLOCK_SHIFT | blocks.get(current).used;
    }

    /** Gives back everything taken since {@code mark}. */
    void release(long mark) {
        if (blocks.isEmpty()) {
            return;
        }
        current = (int) (mark >>> BLOCK_SHIFT);
        blocks.get(current).used = mark & (1L << BLOCK_SHIFT) - 1;
        if (mark == 0 && blocks.size() > 1) {
            long total = total();
            close();
            blocks.add(new Block(total));
        }
    }

    /**
     * Gives back what is taken until it is closed, whatever fails meanwhile: for operations and their tasks. Parts of a
     * task, which are many, may {@link #release}.
     */
    Frame frame() {
        return new Frame();
    }

    private long total() {
        long total = 0;
        for (Block block : blocks) {
            total += block.size;
        }
        return total;
    }

    @Override
    public void close() {
        blocks.forEach(block -> NativeMemory.free(block.memory));
        blocks.clear();
        current = 0;
    }

    /** What an operation or a task takes. */
    final class Frame implements AutoCloseable {
        private final long mark = mark();

        @Override
        public void close() {
            release(mark);
        }
    }

    private static final class Block {
        final long memory;
        final long base;
        final long size;
        long used;

        Block(long size) {
            this.size = size;
            this.memory = NativeMemory.allocate(size + ALIGNMENT);
            this.base = (memory + ALIGNMENT - 1) & -ALIGNMENT;
        }
    }
}
