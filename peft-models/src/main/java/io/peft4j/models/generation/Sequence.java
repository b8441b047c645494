package io.peft4j.models.generation;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.nn.KvCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An answer that grows behind its prompt, and the part of both whose keys and values the cache holds. It may lose its
 * pages to others, and then computes all of it again.
 */
final class Sequence {
    private final PendingRequest pending;
    private final GrowingAnswer answer;
    private final AdapterVariants.AdapterVariant variant;
    private final int number;
    private final int[] prompt;
    private final boolean[] invoked;
    private final CacheRows rows;
    /** The pages at its beginning that {@link PrefixCache} knows. */
    private List<PrefixCache.Page> kept = new ArrayList<>();
    private int computed;
    /** Up to here others have computed the same tokens; a state behind them lets later sequences go on from there. */
    private int known;
    private boolean placed;
    private int[] tried = {};

    /**
     * A sequence without pages.
     *
     * @param number its number among all sequences that joined the batch
     * @param variant what computes it
     */
    Sequence(PendingRequest pending, int number, GrowingAnswer answer, AdapterVariants.AdapterVariant variant) {
        this.pending = pending;
        this.number = number;
        this.answer = answer;
        this.variant = variant;
        this.prompt = pending.prompt().tokens();
        this.invoked = pending.invoked();
        this.rows = new CacheRows(variant.before());
    }

    PendingRequest pending() {
        return pending;
    }

    int number() {
        return number;
    }

    GrowingAnswer answer() {
        return answer;
    }

    AdapterVariants.AdapterVariant variant() {
        return variant;
    }

    /** Equal for sequences of which the same tokens have the same keys and values. */
    Object version() {
        return pending.prompt().group() == 0 ? variant.version() : List.of(variant.version(), pending.prompt().group());
    }

    CacheRows rows() {
        return rows;
    }

    /** The number of tokens of prompt and answer. */
    int length() {
        return prompt.length + answer.length();
    }

    /** How many of them, from the first, have keys and values in the cache. */
    int computed() {
        return computed;
    }

    /** The rows behind which it, or another one of the same variant, continues. */
    List<Integer> lastRows() {
        List<Integer> last = new ArrayList<>();
        if (computed > 0) {
            last.add(rows.row(computed - 1));
        }
        if (!variant.before().isEmpty()) {
            last.add(variant.before().get(variant.before().size() - 1).end() - 1);
        }
        return last;
    }

    /** The index after the tokens that one pass may compute, before any that are tried. */
    int nextStop() {
        if (variant.readsWhole()) {
            return computed == 0 ? prompt.length : computed + 1;
        }
        return computed < known ? known : length();
    }

    /** Whether it has pages. */
    boolean isPlaced() {
        return placed;
    }

    /** Whether only its last token is still to be computed. */
    boolean isDecoding() {
        return placed && computed == length() - 1;
    }

    int token(int index) {
        return index < prompt.length ? prompt[index]
                : index < length() ? answer.token(index - prompt.length) : tried[index - length() + 1];
    }

    int position(int index) {
        return variant.firstPosition() + index;
    }

    /** A prompt that has been invoked stays so; the tokens that follow it invoke nothing. */
    boolean isInvoked(int index) {
        return invoked.length == 0 || invoked[Math.min(index, prompt.length - 1)];
    }

    /** Tokens {@code 0} to {@code end} as {@link PrefixCache} compares them: those not yet invoked differ. */
    int[] keys(int end) {
        int[] keys = new int[end];
        Arrays.setAll(keys, i -> isInvoked(i) ? token(i) : ~token(i));
        return keys;
    }

    /**
     * Before a pass that reaches the last token.
     *
     * @return the index after the tokens that are tried behind it; none are where more than that one is computed
     */
    int startTrying() {
        if (answer.length() > 0) {
            tried = isDecoding() ? answer.tokensToTry() : answer.tokensToTry(0);
        }
        return length() + Math.max(0, tried.length - 1);
    }

    /**
     * Takes pages that hold its beginning.
     *
     * @param knownPages how many pages of its beginning are kept, these among them
     */
    void place(List<PrefixCache.Page> found, int knownPages) {
        known = knownPages * CachePages.PAGE;
        kept = new ArrayList<>(found);
        found.forEach(page -> rows.add(page.number()));
        computed = found.size() * CachePages.PAGE;
        placed = true;
    }

    /** After a pass over its tokens up to {@code end}. */
    void computedTo(int end) {
        computed = Math.min(end, length() - 1);
        tried = new int[0];
    }

    /** Keeps its full pages for others with the same beginning. */
    void keep(PrefixCache prefixes, KvCache cache) {
        int full = computed / CachePages.PAGE;
        if (kept.size() < full && variant.isKept()) {
            int[] keys = keys(full * CachePages.PAGE);
            while (kept.size() < full) {
                int index = kept.size();
                PrefixCache.Page page = prefixes.keep(version(), kept, keys, rows.page(index));
                if (rows.page(index) != page.number()) {
                    cache.moveStates(rows.page(index) * CachePages.PAGE + CachePages.PAGE - 1, page.lastRow());
                }
                rows.replace(index, page.number());
                kept.add(page);
            }
        }
    }

    void leave(PrefixCache prefixes, CachePages pages) {
        rows.pagesFrom(kept.size()).forEach(pages::giveBack);
        prefixes.leave(kept);
        kept = new ArrayList<>();
        rows.clear();
        computed = 0;
        placed = false;
    }

    /**
     * Where the keys and values of a sequence's tokens lie in the cache: token i in page i / {@value CachePages#PAGE}
     * of its own list, behind what an adapter puts before all sequences.
     */
    static final class CacheRows {
        private final List<Range> before;
        private final List<Integer> pages = new ArrayList<>();
        /** Pages that lie behind each other, as one. */
        private final List<Run> runs = new ArrayList<>();

        /**
         * Pages that follow each other in the cache.
         *
         * @param token the first token in them
         * @param row its row
         * @param context the rows of everything before
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

        int row(int token) {
            return pages.get(token / CachePages.PAGE) * CachePages.PAGE + token % CachePages.PAGE;
        }

        /**
         * Adds the segments of tokens {@code from} to {@code to}, the last excluded, as query rows {@code query} on.
         */
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
}
