package io.peft4j.eval.report;

import java.util.ArrayList;
import java.util.List;

/** The words of two texts, each with whether the other text has it too, in the same order. */
final class WordDiff {
    /** Texts of more words are not compared word by word: the table would grow with the product. */
    private static final int MOST = 600;

    /**
     * A word.
     *
     * @param text the word
     * @param common whether both texts have it
     */
    record Word(String text, boolean common) {
    }

    private WordDiff() {
    }

    /** The words of {@code text}, those in a longest common subsequence with {@code other} being common. */
    static List<Word> compared(String text, String other) {
        List<String> left = split(text);
        List<String> right = split(other);
        if (left.size() > MOST || right.size() > MOST) {
            return left.stream().map(word -> new Word(word, true)).toList();
        }
        int[][] length = new int[left.size() + 1][right.size() + 1];
        for (int i = left.size() - 1; i >= 0; i--) {
            for (int j = right.size() - 1; j >= 0; j--) {
                length[i][j] = left.get(i).equals(right.get(j)) ? length[i + 1][j + 1] + 1
                        : Math.max(length[i + 1][j], length[i][j + 1]);
            }
        }
        List<Word> words = new ArrayList<>();
        int j = 0;
        for (int i = 0; i < left.size(); i++) {
            while (j < right.size() && !left.get(i).equals(right.get(j)) && length[i][j] == length[i][j + 1]) {
                j++;
            }
            boolean common = j < right.size() && left.get(i).equals(right.get(j));
            words.add(new Word(left.get(i), common));
            j += common ? 1 : 0;
        }
        return words;
    }

    private static List<String> split(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
    }
}
