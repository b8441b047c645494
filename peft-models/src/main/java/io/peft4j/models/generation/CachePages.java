package io.peft4j.models.generation;

import java.util.BitSet;

/**
 * Which rows of a key/value cache are free, in pages of {@value #PAGE} rows. Whoever needs rows takes whole pages,
 * where possible such that lie behind each other, since attention reads them faster.
 */
final class CachePages {
    /** Rows of a page. */
    static final int PAGE = 32;

    private int count;
    private final BitSet free;

    /** All of {@code count} pages are free. */
    CachePages(int count) {
        this.count = count;
        this.free = new BitSet(count);
        free.set(0, count);
    }

    /** The pages that {@code rows} rows fill. */
    static int needed(int rows) {
        return (rows + PAGE - 1) / PAGE;
    }

    /** Adds free pages behind the others. */
    void grow(int pages) {
        free.set(count, count + pages);
        count += pages;
    }

    int count() {
        return count;
    }

    int free() {
        return free.cardinality();
    }

    /**
     * Takes pages.
     *
     * @param pages how many, at most as many as are free
     * @param after the page that they are to follow where it can be, or -1
     */
    int[] take(int pages, int after) {
        if (pages > free()) {
            throw new IllegalArgumentException(pages + " pages are wanted, " + free() + " are free");
        }
        int[] taken = new int[pages];
        int next = 0;
        int from = after + 1;
        if (after < 0 || from >= count || !free.get(from)) {
            from = bestRun(pages);
        }
        while (next < pages) {
            while (next < pages && from < count && free.get(from)) {
                free.clear(from);
                taken[next++] = from++;
            }
            from = next < pages ? bestRun(pages - next) : from;
        }
        return taken;
    }

    /** Where the shortest run of free pages begins that is long enough, or the longest where none is. */
    private int bestRun(int pages) {
        int best = -1;
        int length = 0;
        for (int from = free.nextSetBit(0); from >= 0;) {
            int end = free.nextClearBit(from);
            int here = end - from;
            boolean better = length < pages ? here > length : here >= pages && here < length;
            if (better) {
                best = from;
                length = here;
            }
            from = free.nextSetBit(end);
        }
        return best;
    }

    void giveBack(int page) {
        if (page < 0 || page >= count || free.get(page)) {
            throw new IllegalArgumentException("page " + page + " is not in use");
        }
        free.set(page);
    }
}
