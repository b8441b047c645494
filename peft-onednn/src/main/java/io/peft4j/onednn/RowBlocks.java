package io.peft4j.onednn;

/**
 * Cuts rows into blocks whose numbers of rows are powers of two, so that few primitives serve all numbers of rows. All
 * threads' tasks but the last are such a number: where each had some other, each would end with a few small blocks.
 */
final class RowBlocks {
    private static final int MOST_ROWS = 64;
    /** Elements of a block: several such blocks lie in the second-level cache. */
    private static final int MOST_ELEMENTS = 1 << 16;

    private RowBlocks() {
    }

    /** Tasks for each thread, at least, where there are rows enough. */
    private static final int TASKS = 4;
    private static final int FEWEST_ROWS = 8;

    /** A block of rows. */
    @FunctionalInterface
    interface Block {
        /** Works on rows {@code first} to {@code first + count - 1}. */
        void run(int first, int count);
    }

    /** A block of rows on one of several threads. */
    @FunctionalInterface
    interface SharedBlock {
        /** Works on rows {@code first} to {@code first + count - 1}. */
        void run(Lane lane, int first, int count);
    }

    /** Runs {@code block} over all rows, shared among the threads. */
    static void share(Team team, int rows, int width, SharedBlock block) {
        int size = Math.max(FEWEST_ROWS, Integer.highestOneBit(Math.max(1, rows / (TASKS * team.size()))));
        team.run((rows + size - 1) / size, (lane, task) -> each(task * size, Math.min(size, rows - task * size), width,
                (first, count) -> block.run(lane, first, count)));
    }

    /** Runs {@code block} over {@code count} rows of {@code width} elements from row {@code first} on. */
    static void each(int first, int count, int width, Block block) {
        int largest = Math.min(MOST_ROWS, Integer.highestOneBit(Math.max(1, MOST_ELEMENTS / width)));
        for (int done = 0; done < count; ) {
            int rows = Math.min(largest, Integer.highestOneBit(count - done));
            block.run(first + done, rows);
            done += rows;
        }
    }
}
