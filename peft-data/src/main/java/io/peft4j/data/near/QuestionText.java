package io.peft4j.data.near;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Questions as single texts. */
public final class QuestionText {
    private QuestionText() {
    }

    /** The same for questions with the same words in the same order, whatever their case and punctuation is. */
    public static String key(String question) {
        return Words.of(question).stream().map(Word::norm).collect(Collectors.joining(" "));
    }

    /** Whether a second text has the numbers, names and negations of a first one, no others, and something to say. */
    public static boolean sameNamesAndNumbers(String first, String second) {
        List<Word> words = Words.of(second);
        return words.size() > 1 && facts(Words.of(first)).equals(facts(words));
    }

    private static TreeSet<String> facts(List<Word> words) {
        TreeSet<String> facts = new TreeSet<>();
        for (Word word : words) {
            boolean name = word.capital() && !word.initial() && !Vocabulary.STOPS.contains(word.norm());
            if (name || word.number() || Vocabulary.NEGATIONS.contains(word.norm())) {
                facts.add(word.norm());
            }
        }
        return facts;
    }
}
