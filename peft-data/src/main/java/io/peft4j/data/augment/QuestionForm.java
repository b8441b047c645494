package io.peft4j.data.augment;

import io.peft4j.data.near.QuestionText;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whether a question that was generated is one in form, by rules of English and German: what small models write is now
 * and then no sentence, as {@code How many days before the Captain can the ask the captain?} is none.
 */
final class QuestionForm {
    private static final int FEWEST_WORDS = 3;
    private static final int COPIED_WORDS = 6;
    private static final Set<String> ARTICLES = RuleWords.of("form.articles");
    private static final Set<String> DETERMINERS = RuleWords.of("form.determiners");
    /** Forms of verbs that are no nouns, and so cannot follow an article. */
    private static final Set<String> VERBS = RuleWords.of("form.verbs");
    private static final Set<String> HELPING = RuleWords.of("form.helping");
    private static final Set<String> MODALS = RuleWords.of("form.modals");
    /** What an auxiliary in front of its subject is not followed by. */
    private static final Set<String> NO_SUBJECTS = RuleWords.of("form.no_subjects");
    private static final Set<String> NO_ENDS = RuleWords.of("form.no_ends");
    private static final Set<String> GERMAN_ARTICLES = RuleWords.of("form.german_articles");
    private static final Set<String> GERMAN_VERBS = RuleWords.of("form.german_verbs");
    /** Behind these a parted verb may end with "an". */
    private static final Set<String> GERMAN_ASKING = RuleWords.of("form.german_asking");
    /** Where one of these is between two equal phrases, they are compared or joined. */
    private static final Set<String> JOINING = RuleWords.of("form.joining");
    /** Words that say little, which a phrase may be repeated without saying the same again. */
    private static final Set<String> SMALL = Stream.of(DETERMINERS, HELPING, NO_ENDS, JOINING,
            RuleWords.of("form.small")).flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());

    private QuestionForm() {
    }

    /**
     * What is wrong with the form of a question, as {@code an article precedes the verb 'ask'}; empty where it is
     * well formed.
     *
     * @param answer the answer, which a question must not repeat
     */
    static Optional<String> fault(String question, String answer) {
        List<String> words = Arrays.stream(question.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}'\u2019.-]+"))
                .map(word -> word.replaceAll("^[.'\u2019-]+|[.'\u2019-]+$", "")).filter(word -> !word.isEmpty())
                .toList();
        return Stream.of(shape(question, words), sameAs(answer, question), pairs(words), repeated(words))
                .flatMap(Optional::stream).findFirst();
    }

    private static Optional<String> shape(String question, List<String> words) {
        if (!question.endsWith("?") || question.indexOf('?') < question.length() - 1) {
            return Optional.of("it is not a single question");
        }
        if (words.size() < FEWEST_WORDS) {
            return Optional.of("it has fewer than " + FEWEST_WORDS + " words");
        }
        long open = question.chars().filter(c -> c == '(').count();
        if (question.contains("__") || open != question.chars().filter(c -> c == ')').count()
                || question.chars().filter(c -> c == '"').count() % 2 == 1) {
            return Optional.of("a bracket or quotation mark is not closed, or a gap is not filled");
        }
        String last = words.get(words.size() - 1);
        // A grade or a building is called A.
        boolean name = question.charAt(question.length() - 2) == 'A';
        boolean german = last.equals("an") && words.stream().limit(2).anyMatch(GERMAN_ASKING::contains);
        return NO_ENDS.contains(last) && !name && !german ? Optional.of("it ends with '" + last + "'")
                : Optional.empty();
    }

    private static Optional<String> sameAs(String answer, String question) {
        String asked = QuestionText.key(question);
        String told = QuestionText.key(answer);
        if (asked.equals(told)) {
            return Optional.of("it is the answer");
        }
        return told.split(" ").length >= COPIED_WORDS && asked.contains(told)
                ? Optional.of("it contains the answer") : Optional.empty();
    }

    /** Neighbours that never are. */
    private static Optional<String> pairs(List<String> words) {
        for (int i = 0; i + 1 < words.size(); i++) {
            String one = words.get(i);
            String next = words.get(i + 1);
            boolean article = ARTICLES.contains(one);
            if (article && VERBS.contains(next) || GERMAN_ARTICLES.contains(one) && GERMAN_VERBS.contains(next)) {
                return Optional.of("the article '" + one + "' precedes the verb '" + next + "'");
            }
            if (DETERMINERS.contains(one) && !one.equals("this") && DETERMINERS.contains(next)) {
                return Optional.of("'" + one + " " + next + "' occurs in it");
            }
            if (one.equals(next) && one.length() > 1 && !Set.of("die", "der", "das", "that", "had").contains(one)
                    && !Character.isDigit(one.charAt(0))) {
                return Optional.of("'" + one + "' is doubled");
            }
            if (MODALS.contains(one) && (HELPING.contains(next) && !next.equals("have") && !next.equals("do")
                    || NO_SUBJECTS.contains(next))) {
                return Optional.of("'" + one + " " + next + "' occurs in it");
            }
        }
        return Optional.empty();
    }

    /** Two words or more, one of topic among them, that are neither compared nor joined. */
    private static Optional<String> repeated(List<String> words) {
        for (int i = 0; i + 1 < words.size(); i++) {
            for (int j = i + 1; j < words.size(); j++) {
                int length = 0;
                while (i + length < j && j + length < words.size()
                        && words.get(i + length).equals(words.get(j + length))) {
                    length++;
                }
                List<String> phrase = words.subList(i, i + length);
                boolean joined = words.subList(i + length, j).stream().anyMatch(JOINING::contains);
                if (length > 1 && !joined && !SMALL.containsAll(phrase)) {
                    return Optional.of("'" + String.join(" ", phrase) + "' occurs twice");
                }
            }
        }
        return Optional.empty();
    }
}
