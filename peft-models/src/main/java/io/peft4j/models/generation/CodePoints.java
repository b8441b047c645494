package io.peft4j.models.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A set of characters by their code points, as ranges of them: most sets are a few ranges, and some nearly all. */
final class CodePoints {
    private static final int END = Character.MAX_CODE_POINT + 1;
    /** All but surrogates, which are none by themselves. */
    static final CodePoints ALL = range(Character.MIN_SURROGATE, Character.MAX_SURROGATE).not();

    /** For each range its first code point and the one behind its last, ascending and with gaps between ranges. */
    private final int[] bounds;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
    }

    static CodePoints one(int codePoint) {
        return range(codePoint, codePoint);
    }

    /** Those {@code from} to {@code to}. */
    static CodePoints range(int from, int to) {
        return new CodePoints(new int[] {from, to + 1});
    }

    /** Those in any of some sets. */
    static CodePoints anyOf(List<CodePoints> sets) {
        int[][] ranges = sets.stream().flatMap(set -> set.ranges().stream()).toArray(int[][]::new);
        Arrays.sort(ranges, (a, b) -> Integer.compare(a[0], b[0]));
        int[] bounds = new int[2 * ranges.length];
        int count = 0;
        for (int[] range : ranges) {
            if (count == 0 || range[0] > bounds[count - 1]) {
                bounds[count] = range[0];
                count += 2;
                bounds[count - 1] = range[1] + 1;
            } else {
                bounds[count - 1] = Math.max(bounds[count - 1], range[1] + 1);
            }
        }
        return new CodePoints(Arrays.copyOf(bounds, count));
    }

    /** All others. */
    CodePoints not() {
        int[] others = new int[bounds.length + 2];
        System.arraycopy(bounds, 0, others, 1, bounds.length);
        others[others.length - 1] = END;
        // A range from 0 on, or to the last, leaves nothing there.
        int from = bounds.length > 0 && bounds[0] == 0 ? 2 : 0;
        int to = bounds.length > 0 && bounds[bounds.length - 1] == END ? bounds.length : others.length;
        return new CodePoints(Arrays.copyOfRange(others, from, Math.max(from, to)));
    }

    /** Those that are in another set, too. */
    CodePoints and(CodePoints other) {
        int[] both = new int[bounds.length + other.bounds.length];
        int count = 0;
        for (int i = 0, j = 0; i < bounds.length && j < other.bounds.length;) {
            int from = Math.max(bounds[i], other.bounds[j]);
            int end = Math.min(bounds[i + 1], other.bounds[j + 1]);
            if (from < end) {
                both[count++] = from;
                both[count++] = end;
            }
            if (end == bounds[i + 1]) {
                i += 2;
            } else {
                j += 2;
            }
        }
        return new CodePoints(Arrays.copyOf(both, count));
    }

    /** Whether it is a single one. */
    boolean isOne() {
        return bounds.length == 2 && bounds[1] == bounds[0] + 1;
    }

    int first() {
        return bounds[0];
    }

    /** The first and the last of each range, ascending. */
    List<int[]> ranges() {
        List<int[]> ranges = new ArrayList<>();
        for (int i = 0; i < bounds.length; i += 2) {
            ranges.add(new int[] {bounds[i], bounds[i + 1] - 1});
        }
        return ranges;
    }
}
