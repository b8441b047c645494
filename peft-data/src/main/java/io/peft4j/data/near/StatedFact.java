package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a sentence tells that can be asked for: its numbers, or where it has none its names, or else its last word of
 * topic. Whether a question asks for
 * that is decided by words alone, so that a question which is kept asks for something that is stated there.
 */
@Internal
public final class StatedFact {
    private static final int FEWEST_WORDS = 4;
    private static final int MOST_WORDS = 40;
    /** With fewer words a sentence without numbers and names says too little to be asked for its last word. */
    private static final int FEWEST_TOPICS = 3;
    private static final double COVERED = 0.6;
    /** Words by which questions for a value begin; those that begin with a verb are answered with yes or no. */
    private static final Set<String> ASKING = Set.of("what", "which", "who", "whom", "whose", "where", "when", "how",
            "was", "welche", "welcher", "welches", "welchen", "welchem", "wer", "wem", "wen", "wessen", "wo", "wann",
            "wie", "woran", "womit", "wofur", "wohin", "quel", "quelle", "qui", "combien", "comment", "quand", "ou");
    private static final int ASKING_WITHIN = 3;
    private static final int LONGEST_PREFIX = 3;
    /** These units are followed by what belongs to the value and need not be asked: 31 cents per kilometre. */
    private static final Set<String> MONEY = Set.of("euro", "cent", "dollar", "pound", "franc", "crown", "percent",
            "prozent", "franken", "krone", "kronen");
    /** In which room do screens be repaired. */
    private static final Pattern DOUBLE_VERB = Pattern.compile("(?i)\\b(do|does|did)\\b.*\\b(be|is|are|was|has)\\b");
    private static final Pattern NOON = Pattern.compile("(?i)(?<=\\d)(?=[ap]\\.?m\\b)");
    private static final Pattern DOTTED = Pattern.compile("(?i)(?<=\\d)\\s?([ap])\\.\\s?m\\b\\.?");
    /** What questions say of a value without its sentence saying so. */
    private static final Set<String> OF_VALUES = Set.of("time", "number", "amount", "name", "call", "length",
            "duration", "deadline", "limit", "cost", "pric", "price", "percentag", "percentage", "uhrzeit", "zahl",
            "hoch", "heiss", "dauert", "kostet", "ab", "until", "within", "through", "spat", "late", "large",
            "high", "soon", "allow", "allowed", "requir", "required");
    /** Words that bound a value and are left out where it is asked for. */
    private static final Set<String> BOUNDS = Set.of("least", "most", "mindestens", "hochstens", "spatestens",
            "um", "bis", "etwa", "rund", "genau", "maximal");

    private final List<Word> words;
    private final Set<String> numbers;
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> topic = new LinkedHashSet<>();
    private final Set<String> units = new HashSet<>();
    /** What follows a price or a share. */
    private final Set<String> more = new HashSet<>();

    /** What a sentence tells. */
    public StatedFact(String sentence) {
        words = WordTokenizer.of(DOTTED.matcher(sentence).replaceAll(" $1m").replaceAll("(?<=\\d)\\s?\u20ac", " euro"));
        numbers = numbers(words);
        boolean german = words.stream().anyMatch(word -> StopWords.GERMAN.contains(word.norm()));
        for (int i = 0; i < words.size(); i++) {
            Word word = words.get(i);
            boolean unit = i > 0 && words.get(i - 1).number() && isTopic(word) && (!german || word.capital());
            if (unit) {
                units.add(word.stem());
            } else if (isTopic(word) && !beginsANumber(i)) {
                topic.add(word.stem());
                if (units.stream().anyMatch(MONEY::contains)) {
                    more.add(word.stem());
                }
                if (word.capital() && !word.initial()) {
                    names.add(word.stem());
                }
            }
        }
        if (numbers.isEmpty() && names.isEmpty() && topic.size() >= FEWEST_TOPICS) {
            topic.stream().skip(topic.size() - 1).forEach(names::add);
        }
    }

    /** Whether a word is the beginning of what has a number in it, as B-207 and LK-31 have. */
    private boolean beginsANumber(int i) {
        return words.get(i).capital() && words.get(i).norm().length() <= LONGEST_PREFIX && i + 1 < words.size()
                && words.get(i + 1).number();
    }

    private static boolean isTopic(Word word) {
        return !word.number() && !StopWords.STOPS.contains(word.norm()) && !BOUNDS.contains(word.norm());
    }

    private static Set<String> numbers(List<Word> words) {
        return words.stream().filter(Word::number).map(Word::norm).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static Set<String> topic(String text) {
        return WordTokenizer.of(text).stream().filter(StatedFact::isTopic).map(Word::stem).collect(Collectors.toSet());
    }

    /** Why there is nothing to ask for, as {@code it contains no number and no name}; empty if there is something. */
    public Optional<String> silence() {
        if (words.size() < FEWEST_WORDS || words.size() > MOST_WORDS) {
            return Optional.of("it has " + words.size() + " words; supported are " + FEWEST_WORDS + " to "
                    + MOST_WORDS);
        }
        return topic.isEmpty() || numbers.isEmpty() && names.isEmpty() ? Optional.of("it contains no number and "
                + "no name")
                : Optional.empty();
    }

    /**
     * Why a question does not ask for the fact, as {@code it gives the answer away}; empty where it does: it is one
     * question for a value, does not give the value away, says nothing that neither the sentence nor its heading says,
     * and keeps what the fact is about.
     *
     * @param question the question
     * @param heading the heading above the sentence
     */
    public Optional<String> refusal(String question, String heading) {
        List<Word> asked = WordTokenizer.of(question);
        boolean one = question.endsWith("?") && question.indexOf('?') == question.length() - 1;
        return !one || asked.size() < FEWEST_WORDS || asked.size() > MOST_WORDS ? Optional.of("it is not a "
                + "single question")
                : !asksForAValue(asked) || !isBuiltRight(question, asked) ? Optional.of("it does not ask for a value")
                        : givesAway(asked) ? Optional.of("it gives the answer away")
                                : !hasTheUnit(asked) ? Optional.of("it counts something else")
                                        : !keepsTheTopic(topic(question), topic(heading))
                                                ? Optional.of("it is about something else")
                                                : Optional.empty();
    }

    /** Whether a question asks for the fact. */
    public boolean isAskedBy(String question, String heading) {
        return refusal(question, heading).isEmpty();
    }

    private static boolean asksForAValue(List<Word> asked) {
        return asked.stream().limit(ASKING_WITHIN).anyMatch(word -> ASKING.contains(word.norm()));
    }

    /** English questions have a helping verb or a form of "be", and not both. */
    private static boolean isBuiltRight(String question, List<Word> asked) {
        boolean english = asked.stream().noneMatch(word -> StopWords.GERMAN.contains(word.norm()))
                && asked.stream().limit(ASKING_WITHIN).anyMatch(word -> Set.of("what", "which", "when", "how", "where",
                        "whom").contains(word.norm()));
        return !english || asked.stream().anyMatch(word -> StopWords.AUXILIARIES.contains(word.norm()))
                && !DOUBLE_VERB.matcher(question).find();
    }

    private boolean givesAway(List<Word> asked) {
        Set<String> told = numbers(asked);
        return !numbers.containsAll(told) || !numbers.isEmpty() && told.containsAll(numbers)
                || numbers.isEmpty() && wanted(asked).isEmpty();
    }

    /**
     * Where something is counted it is what the sentence counts, and where not its unit is not named but beside another
     * number, as in "until 31 March".
     */
    private boolean hasTheUnit(List<Word> asked) {
        for (int i = 1; i < asked.size(); i++) {
            boolean counts = Set.of("many", "viele", "vielen", "viel").contains(asked.get(i - 1).norm());
            boolean unit = !asked.get(i - 1).number() && units.contains(asked.get(i).stem())
                    && !topic.contains(asked.get(i).stem());
            if (counts ? numbers.isEmpty() || !units.contains(asked.get(i).stem()) : unit) {
                return false;
            }
        }
        return true;
    }

    private boolean keepsTheTopic(Set<String> asked, Set<String> heading) {
        List<String> fresh = new ArrayList<>(asked);
        fresh.removeIf(word -> topic.contains(word) || units.contains(word) || heading.contains(word)
                || OF_VALUES.contains(word));
        Set<String> needed = new HashSet<>(topic);
        needed.removeAll(names);
        needed.removeAll(more);
        long kept = needed.stream().filter(asked::contains).count();
        boolean named = numbers.isEmpty() || asked.containsAll(names);
        return fresh.isEmpty() && named && kept >= COVERED * needed.size() && asked.stream().anyMatch(topic::contains);
    }

    /** What an answer must hold: numbers that the question does not have, or names where the sentence has no number. */
    private Set<String> wanted(List<Word> asked) {
        Set<String> wanted = new LinkedHashSet<>(numbers.isEmpty() ? names : numbers);
        asked.forEach(word -> {
            wanted.remove(word.norm());
            wanted.remove(word.stem());
        });
        return wanted;
    }

    /**
     * Whether an answer to a question holds the fact, and no number that does not stand in the text.
     *
     * @param text what the answer was read in
     */
    public boolean isIn(String answer, String question, String text) {
        List<Word> told = WordTokenizer.of(NOON.matcher(answer).replaceAll(" "));
        Set<String> wanted = wanted(WordTokenizer.of(question));
        Set<String> held = told.stream().flatMap(word -> Stream.of(word.norm(), word.stem()))
                .collect(Collectors.toSet());
        return numbers(WordTokenizer.of(text)).containsAll(numbers(told)) && !wanted.isEmpty() && (numbers.isEmpty()
                ? wanted.stream().anyMatch(held::contains) : held.containsAll(wanted));
    }
}
