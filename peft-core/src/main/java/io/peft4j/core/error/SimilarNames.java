package io.peft4j.core.error;

import io.peft4j.core.Internal;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Finds the names that come close to one that does not exist, for error messages that help.
 */
@Internal(shared = true)
public final class SimilarNames {
    /** Longer names are compared by their last characters only, so that the cost stays bounded. */
    private static final int LONGEST_COMPARED = 100;
    private static final int MOST_NAMED = 3;

    private SimilarNames() {
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
     * Those of {@link #of} that may have been meant: one is a part of the other, or they, or what is asked for and a
     * part of a path, differ in at most one character and a third of the others.
     */
    public static List<String> near(String asked, Collection<String> names, int count) {
        String meant = asked.toLowerCase(Locale.ROOT);
        int most = 1 + Math.min(meant.length(), LONGEST_COMPARED) / 3;
        return of(asked, names, names.size()).stream().filter(name -> {
            String other = name.toLowerCase(Locale.ROOT);
            return Math.min(meant.length(), other.length()) > 2 && (meant.contains(other) || other.contains(meant))
                    || Stream.concat(Stream.of(other), Stream.of(other.split("[./]")))
                            .anyMatch(part -> distance(tail(meant), tail(part)) <= most);
        }).limit(count).toList();
    }

    /**
     * A half-sentence for an error message.
     *
     * @param asked the name that does not exist
     * @param names the names that exist
     * @return {@code "there are 'a' and 'b'"}, of more than three {@code "the nearest of 12 are 'a', 'b'"} or, where
     *     none is near, {@code "12 exist, such as 'a', 'b', 'c'"}; or {@code "none exist"}
     */
    public static String sentence(String asked, Collection<String> names) {
        if (names.isEmpty()) {
            return "none exist";
        }
        if (names.size() > MOST_NAMED) {
            List<String> near = near(asked, names, MOST_NAMED);
            return near.isEmpty() ? names.size() + " exist, such as '" + String.join("', '", names.stream().sorted()
                    .limit(MOST_NAMED).toList()) + "'; none of them is nearly '" + asked + "'"
                    : "the nearest of " + names.size() + " are '" + String.join("', '", near) + "'";
        }
        List<String> near = of(asked, names, MOST_NAMED);
        String last = "'" + near.get(near.size() - 1) + "'";
        return near.size() == 1 ? "there is only " + last
                : "there are '" + String.join("', '", near.subList(0, near.size() - 1)) + "' and " + last;
    }

    private static String tail(String name) {
        return name.substring(Math.max(0, name.length() - LONGEST_COMPARED));
    }

    /** The Levenshtein distance, in which two neighbours that are swapped count once. */
    public static int distance(String a, String b) {
        int[][] distances = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                distances[i][j] = i == 0 ? j : j == 0 ? i : Math.min(1 + Math.min(distances[i - 1][j],
                        distances[i][j - 1]), distances[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    distances[i][j] = Math.min(distances[i][j], distances[i - 2][j - 2] + 1);
                }
            }
        }
        return distances[a.length()][b.length()];
    }

    private record Near(String name, int distance) {
    }
}
