package io.peft4j.models.generation.internal;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the keys and values of a sequence's tokens lie in the cache: token i in page i / {@value CachePages#PAGE} of
 * its own list, behind what an adapter puts before all sequences.
 */
final class CacheRows {
    private final List<Range> before;
    private final List<Integer> pages = new ArrayList<>();
    /** Pages that lie behind each other, as one. */
    private final List<Run> runs = new ArrayList<>();

    /**
     * Pages that follow each other in the cache.
     *
     * @param token the first token in them
     * @param row its row
     * @param context the rows of all that comes before
     */
    private record Run(int token, int row, int tokens, List<Range> context) {
        Run longer(int more) {
            return new Run(token, row, tokens + more, context);
        }

        int end() {
            return token + tokens;
        }
    }

    /** No pages yet, behind rows that every sequence sees. */
    CacheRows(List<Range> before) {
        this.before = List.copyOf(before);
    }

    /** The tokens that there is room for. */
    int room() {
        return pages.size() * CachePages.PAGE;
    }

    /** The number of the page of a token. */
    int page(int index) {
        return pages.get(index);
    }

    int lastPage() {
        return pages.isEmpty() ? -1 : pages.get(pages.size() - 1);
    }

    /** Adds a page. */
    void add(int page) {
        Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
        int row = page * CachePages.PAGE;
        if (last != null && last.row() + last.tokens() == row) {
            runs.set(runs.size() - 1, last.longer(CachePages.PAGE));
        } else {
            List<Range> context = new ArrayList<>(last == null ? before : last.context());
            if (last != null) {
                context.add(new Range(last.row(), last.row() + last.tokens()));
            }
            runs.add(new Run(room(), row, CachePages.PAGE, List.copyOf(context)));
        }
        pages.add(page);
    }

    /** Puts an equal page in the place of another one. */
    void replace(int index, int page) {
        if (pages.get(index) != page) {
            List<Integer> all = new ArrayList<>(pages);
            all.set(index, page);
            clear();
            all.forEach(this::add);
        }
    }

    /** Forgets all pages. */
    void clear() {
        pages.clear();
        runs.clear();
    }

    /** Pages from number {@code from} on. */
    List<Integer> pagesFrom(int from) {
        return List.copyOf(pages.subList(Math.min(from, pages.size()), pages.size()));
    }

    /** The row of a token. */
    int row(int token) {
        return pages.get(token / CachePages.PAGE) * CachePages.PAGE + token % CachePages.PAGE;
    }

    /** Adds the segments of tokens {@code from} to {@code to}, the last excluded, as query rows {@code query} on. */
    void segments(List<Segment> segments, int query, int from, int to) {
        int row = query;
        for (Run run : runs) {
            int first = Math.max(from, run.token());
            int end = Math.min(to, run.end());
            if (first < end) {
                segments.add(new Segment(row, row + end - first, run.context(), run.row(), first - run.token()));
                row += end - first;
            }
        }
    }
}
