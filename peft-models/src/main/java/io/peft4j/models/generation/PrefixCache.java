package io.peft4j.models.generation;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * Full pages of a key/value cache by what they hold: who computed them, and all tokens up to their end. They are kept
 * when they are not used any more, until the room is needed.
 *
 * <p>Pages form trees: a page is found as the child of the one before it, by its own tokens, so nothing is found that
 * is not equal from the beginning on.
 */
final class PrefixCache {
    private final CachePages pages;
    private final Map<Object, Page> roots = new HashMap<>();
    private final List<Page> kept = new ArrayList<>();
    private long clock;

    static final class Page {
        private final Page before;
        private final IntBuffer tokens;
        private final int number;
        private final Object version;
        private final Map<IntBuffer, Page> after = new HashMap<>();
        private int users;
        private long lastUsed;

        private Page(Page before, IntBuffer tokens, int number, Object version) {
            this.before = before;
            this.tokens = tokens;
            this.number = number;
            this.version = version;
        }

        /** Its number in the cache. */
        int number() {
            return number;
        }

        /** The row of its last token. */
        int lastRow() {
            return number * CachePages.PAGE + CachePages.PAGE - 1;
        }
    }

    PrefixCache(CachePages pages) {
        this.pages = pages;
    }

    private static IntBuffer page(int[] tokens, int number) {
        return IntBuffer.wrap(tokens, number * CachePages.PAGE, CachePages.PAGE).slice();
    }

    /**
     * The pages that hold the beginning of a sequence, which the caller uses from now on.
     *
     * @param version whose keys and values they are
     * @param tokens the sequence; the array is not kept
     * @param most at most so many pages
     */
    List<Page> find(Object version, int[] tokens, int most) {
        List<Page> found = new ArrayList<>();
        Page at = roots.get(version);
        while (at != null && found.size() < most) {
            at = at.after.get(page(tokens, found.size()));
            if (at != null) {
                at.users++;
                found.add(at);
            }
        }
        return found;
    }

    /**
     * Keeps the next page of a sequence, which the caller keeps using.
     *
     * @param before the pages of the sequence before it, all kept
     * @param tokens the sequence; the array is not kept
     * @param number the page in the cache
     * @return the page, or, where an equal one is kept already, that one: then the other is given back
     */
    Page keep(Object version, List<Page> before, int[] tokens, int number) {
        Page parent = before.isEmpty() ? roots.computeIfAbsent(version, v -> new Page(null, null, -1, v))
                : before.get(before.size() - 1);
        Page known = parent.after.get(page(tokens, before.size()));
        if (known != null) {
            known.users++;
            pages.giveBack(number);
            return known;
        }
        IntBuffer own = IntBuffer.wrap(java.util.Arrays.copyOfRange(tokens, before.size() * CachePages.PAGE,
                (before.size() + 1) * CachePages.PAGE));
        Page page = new Page(parent, own, number, version);
        page.users = 1;
        parent.after.put(own, page);
        kept.add(page);
        return page;
    }

    /** The caller uses pages that it found or kept no longer. */
    void leave(List<Page> used) {
        clock++;
        for (Page page : used) {
            page.users--;
            page.lastUsed = clock;
        }
    }

    /** The last rows of the pages that were used last, of those whose last row is accepted. */
    List<Integer> latestEnds(int most, IntPredicate accepted) {
        return kept.stream().filter(page -> accepted.test(page.lastRow()))
                .sorted(Comparator.comparing((Page page) -> page.users == 0).thenComparing(page -> -page.lastUsed))
                .limit(most).map(Page::lastRow).toList();
    }

    int unused() {
        return (int) kept.stream().filter(page -> page.users == 0).count();
    }

    /** Gives back the page that has been out of use for longest, of those that none follows; its number. */
    OptionalInt forgetOne() {
        Page oldest = null;
        for (Page page : kept) {
            if (page.users == 0 && page.after.isEmpty() && (oldest == null || page.lastUsed < oldest.lastUsed)) {
                oldest = page;
            }
        }
        if (oldest == null) {
            return OptionalInt.empty();
        }
        kept.remove(oldest);
        oldest.before.after.remove(oldest.tokens);
        if (oldest.before.before == null && oldest.before.after.isEmpty()) {
            roots.remove(oldest.version);
        }
        pages.giveBack(oldest.number);
        return OptionalInt.of(oldest.number);
    }
}
