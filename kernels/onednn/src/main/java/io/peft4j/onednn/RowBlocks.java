package io.peft4j.onednn;

/**
 * Cuts rows into blocks whose numbers of rows are powers of two, so that few primitives serve all numbers of rows. All
 * threads' tasks but the last are such a number: where each had some other, each would end with a few small blocks.
 */
final class RowBlocks {
    private static final int MOST_ROWS = 64;
    /** Elements of a block: several such blocks lie in the second-level cache. */
    private static final int MOST_ELEMENTS = 1 << 16;

    /** Tasks for each thread, at least, where there are rows enough. */
    private static final int TASKS = 4;
    private static final int FEWEST_ROWS = 8;
    /** Rows of a group, at least. */
    static final int GROUP = 16;

    private RowBlocks() {
    }

    @FunctionalInterface
    interface Block {
        /** Works on rows {@code first} to {@code first + count - 1}. */
        void run(int first, int count);
    }

    /** Some rows on one of several threads. */
    @FunctionalInterface
    interface Rows {
        /** Works on rows {@code first} to {@code first + count - 1}. */
        void run(ThreadContext lane, int first, int count);
    }

    /** Runs {@code block} over all rows, shared among the threads. */
    static void share(ThreadTeam team, int rows, int width, Rows block) {
        int size = Math.max(FEWEST_ROWS, Integer.highestOneBit(Math.max(1, rows / (TASKS * team.size()))));
        team.run((rows + size - 1) / size, (lane, task) -> each(task * size, Math.min(size, rows - task * size), width,
                (first, count) -> block.run(lane, first, count)));
    }

    /** Runs {@code block} over {@code count} rows of {@code width} elements from row {@code first} on. */
    static void each(int first, int count, int width, Block block) {
        int largest = Math.min(MOST_ROWS, Integer.highestOneBit(Math.max(1, MOST_ELEMENTS / width)));
        for (int done = 0; done < count;) {
            int rows = Math.min(largest, Integer.highestOneBit(count - done));
            block.run(first + done, rows);
            done += rows;
        }
    }

    /** Shares rows among the threads in groups of any number, a few for each thread. */
    static void groups(ThreadTeam team, int rows, Rows group) {
        int groups = Math.min((rows + GROUP - 1) / GROUP, TASKS * team.size());
        int size = groups == 0 ? 1 : (rows + groups - 1) / groups;
        team.run((rows + size - 1) / size, (lane, task) -> {
            int first = task * size;
            group.run(lane, first, Math.min(size, rows - first));
        });
    }

    /** Shares rows among the threads, cut into tiles that lie in the first-level cache with those of other arrays. */
    static void tiles(ThreadTeam team, int rows, int width, Rows tile) {
        int most = Math.max(1, OneDnnElements.TILE / width);
        groups(team, rows, (lane, from, count) -> {
            for (int done = 0; done < count; done += most) {
                tile.run(lane, from + done, Math.min(most, count - done));
            }
        });
    }
}
