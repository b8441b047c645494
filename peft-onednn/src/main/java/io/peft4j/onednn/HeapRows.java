package io.peft4j.onednn;

/** Rows that go through loops over heap arrays, a tile at a time. */
final class HeapRows {
    private HeapRows() {
    }

    /** Shares rows among the threads, cut into tiles that lie in the first-level cache with those of other arrays. */
    static void share(Team team, int rows, int width, RowKernels.Rows tile) {
        int most = Math.max(1, ElementwiseKernels.TILE / width);
        RowKernels.share(team, rows, (lane, from, count) -> {
            for (int done = 0; done < count; done += most) {
                tile.run(lane, from + done, Math.min(most, count - done));
            }
        });
    }
}
