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
    private static final Set<String> ARTICLES = words("the a an");
    private static final Set<String> DETERMINERS = words("the a an my your our their his its every each this");
    /** Forms of verbs that are no nouns, and so cannot follow an article. */
    private static final Set<String> VERBS = words("is are was were be been am do does did has have had can could must "
            + "should would shall may might ask asks get gets give gives go goes tell tells receive receives submit "
            + "submits apply applies become bring buy choose inform notify provide require attend arrive begin speak "
            + "write eat wear belong happen know think want keep");
    private static final Set<String> HELPING = words("is are was were do does did has have had can could must should "
            + "would shall may might");
    private static final Set<String> MODALS = words("do does did can could must should would shall may might");
    /** What an auxiliary in front of its subject is not followed by. */
    private static final Set<String> NO_SUBJECTS = words("of per than");
    private static final Set<String> NO_ENDS = words("the a an of and or my your our their every each der die das den "
            + "dem des ein eine einen einem einer eines und oder pro f\u00fcr am im beim zum zur vom von gegen ohne je");
    private static final Set<String> GERMAN_ARTICLES = words("ein eine einen einem eines");
    private static final Set<String> GERMAN_VERBS = words("ist sind war waren hat haben hatte wird werden kann "
            + "k\u00f6nnen muss m\u00fcssen darf d\u00fcrfen soll sollen gibt bekommt erh\u00e4lt");
    /** Behind these a parted verb may end with "an". */
    private static final Set<String> GERMAN_ASKING = words("wann wie wo wer wem");
    /** Where one of these is between two equal phrases, they are compared or joined. */
    private static final Set<String> JOINING = words("and or than to between from und oder als zwischen von bis nach "
            + "zu");
    /** Words that say little, which a phrase may be repeated without saying the same again. */
    private static final Set<String> SMALL = Stream.of(DETERMINERS, HELPING, NO_ENDS, JOINING,
            words("in on at by for with from within before after until i you we he she it they there what which who "
                    + "when where how many much long often im am auf bei mit zum zur vom an aus f\u00fcr vor seit es "
                    + "er sie "
                    + "ich wir man wie viele viel lange oft was wer wo wann welche welcher welches"))
            .flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());

    private QuestionForm() {
    }

    private static Set<String> words(String list) {
        return Arrays.stream(list.split(" ")).collect(Collectors.toUnmodifiableSet());
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
            if (one.equals(next) && one.length() > 1 && !words("die der das that had").contains(one)
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
