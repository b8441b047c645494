package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Questions as single texts. */
@Internal(shared = true)
public final class QuestionText {
    private QuestionText() {
    }

    /** The same for questions with the same words in the same order, whatever their case and punctuation is. */
    public static String key(String question) {
        return WordTokenizer.of(question).stream().map(Word::norm).collect(Collectors.joining(" "));
    }

    /** The same for questions with the same words in any order and inflection, filling words aside. */
    public static String looseKey(String question) {
        return stems(question).sorted().collect(Collectors.joining(" "));
    }

    /** The same for questions with the same words in the same order, inflection and filling words aside. */
    public static String wording(String question) {
        return stems(question).collect(Collectors.joining(" "));
    }

    private static Stream<String> stems(String question) {
        return WordTokenizer.of(question).stream().filter(word -> !StopWords.FILLERS.contains(word.norm()))
                .map(Word::stem);
    }

    /** Whether a word carries no topic, as articles and forms of "be" do. */
    public static boolean isStopWord(String word) {
        return StopWords.STOPS.contains(word.toLowerCase(Locale.ROOT));
    }

    /** The share of a question's words of topic, names and numbers aside, that a text has, too; 1 where it has none. */
    public static double topicKept(String question, String text) {
        Set<String> topic = new HashSet<>();
        WordTokenizer.of(question).stream().filter(word -> !StopWords.STOPS.contains(word.norm()) && !word.number()
                && (!word.capital() || word.initial())).map(Word::stem).forEach(topic::add);
        return topic.isEmpty() ? 1 : (double) topic.stream().filter(topic(text)::contains).count() / topic.size();
    }

    /** Whether a text has a word of topic that is in the answer to a question and not in the question. */
    public static boolean tellsOf(String answer, String question, String text) {
        Set<String> told = topic(answer);
        told.removeAll(topic(question));
        return topic(text).stream().anyMatch(told::contains);
    }

    private static Set<String> topic(String text) {
        Set<String> topic = new HashSet<>();
        WordTokenizer.of(text).stream().filter(word -> !StopWords.STOPS.contains(word.norm())).map(Word::stem)
                .forEach(topic::add);
        return topic;
    }

    /** Whether a second text has the numbers, names and negations of a first one, no others, and something to say. */
    public static boolean sameNamesAndNumbers(String first, String second) {
        List<Word> words = WordTokenizer.of(second);
        return words.size() > 1 && facts(WordTokenizer.of(first)).equals(facts(words));
    }

    private static TreeSet<String> facts(List<Word> words) {
        TreeSet<String> facts = new TreeSet<>();
        for (Word word : words) {
            boolean name = word.capital() && !word.initial() && !StopWords.STOPS.contains(word.norm());
            if (name || word.number() || StopWords.NEGATIONS.contains(word.norm())) {
                facts.add(word.norm());
            }
        }
        return facts;
    }
}
