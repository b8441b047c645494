package io.peft4j.core.error;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the names that come close to one that does not exist, for error messages that help.
 */
public final class NearNames {
    /** Longer names are compared by their last characters only, so that the cost stays bounded. */
    private static final int LONGEST_COMPARED = 100;

    private NearNames() {
    }

    /**
     * The existing names nearest to the one asked for, by edit distance; equal distances in alphabetical order.
     *
     * @param asked the name that does not exist
     * @param names the names that exist
     * @param count how many names to give at most
     * @return the nearest names, nearest first
     */
    public static List<String> of(String asked, Collection<String> names, int count) {
        String tail = tail(asked);
        return names.stream()
                .map(name -> new Near(name, distance(tail, tail(name))))
                .sorted(Comparator.comparingInt(Near::distance).thenComparing(Near::name))
                .limit(count)
                .map(Near::name)
                .toList();
    }

    /**
     * A half-sentence for an error message.
     *
     * @param asked the name that does not exist
     * @param names the names that exist
     * @return {@code "the nearest of 12 are 'a', 'b', 'c'"}, or {@code "none exist"}
     */
    public static String sentence(String asked, Collection<String> names) {
        if (names.isEmpty()) {
            return "none exist";
        }
        List<String> near = of(asked, names, 3);
        String verb = near.size() == 1 ? " is '" : " are '";
        return "the nearest of " + names.size() + verb + String.join("', '", near) + "'";
    }

    private static String tail(String name) {
        return name.substring(Math.max(0, name.length() - LONGEST_COMPARED));
    }

    /** The Levenshtein distance, one row at a time. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[row.length - 1];
    }

    private record Near(String name, int distance) {
    }
}
