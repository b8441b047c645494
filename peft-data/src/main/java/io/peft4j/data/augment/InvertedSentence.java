package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The question of a plain English or German sentence for what was left out of it, made by putting the verb before its
 * subject: {@code Ropes are checked every ___ weeks.} becomes {@code How often are ropes checked?}. It needs no model,
 * and the sentence answers it by construction.
 */
final class InvertedSentence {
    static final Set<String> AUXILIARIES = RuleWords.of("english.auxiliaries");
    /** Verbs that are no nouns. */
    private static final Set<String> SURE = RuleWords.of("english.sure_verbs");
    private static final Set<String> HELPING = Set.of("has", "have", "had", "do", "does", "did", "cannot");
    /** What precedes a value and is asked for with it. */
    private static final Set<String> PREPOSITIONS = RuleWords.of("english.prepositions");
    static final Set<String> BOUNDS = Stream
            .concat(PREPOSITIONS.stream(), RuleWords.of("english.bounds").stream()).collect(Collectors
                    .toUnmodifiableSet());
    /** Verbs of plain sentences: other words with an s may be nouns. */
    static final Set<String> VERBS = RuleWords.of("english.verbs");
    /** A sentence with these in front of its value is not plain: its verb is not the first, or it needs another. */
    private static final Set<String> INTRICATE = RuleWords.of("english.intricate");
    /** What no subject begins with. */
    private static final Set<String> NO_SUBJECTS = RuleWords.of("english.no_subjects");
    /** What joins a noun to another one. */
    private static final Set<String> PARTS = RuleWords.of("english.parts");
    private static final Set<String> PLURALS = RuleWords.of("english.plurals");
    /** What names hardly end with. */
    private static final String NOUN = "(ing|tion|ment|ness|age|ance|ence|ity|time|[eo]ry|ware|work|ure)";
    private static final Set<String> MEASURES = RuleWords.of("english.measures");
    /** What is behind a unit and would be asked for in another way. */
    private static final Set<String> NO_UNITS = RuleWords.of("english.no_units");
    /** Where what is counted ends: {@code days of annual leave | each year}. */
    private static final Set<String> ENDS = RuleWords.of("english.ends");
    private static final Set<String> UNITS = RuleWords.of("english.units");
    /** What joins a second verb to a subject: what follows is not asked for. */
    private static final Set<String> JOINING = RuleWords.of("all.joining");

    private final List<String> before;
    private final List<String> after;
    /** What the handbook writes with a small letter. */
    private final Spelling spelling;
    private String opening;

    /**
     * How a handbook writes its words.
     *
     * @param small those that it has with a small letter
     * @param names those with a capital letter within sentences
     */
    record Spelling(Set<String> small, Set<String> names) {
        static final Spelling UNKNOWN = new Spelling(Set.of(), Set.of());
        private static final Set<String> NO_NAMES = Set.of("The", "A", "An", "Each", "Every", "All", "Our", "Your",
                "New", "Some", "Most", "There", "We", "You", "Everyone", "Anyone");
        private static final Pattern NAME = Pattern.compile("(?<=\\p{Ll},? )\\p{Lu}[\\p{L}-]+");

        static Spelling of(String text) {
            return new Spelling(Stream.of(text.split("[^\\p{L}]+")).collect(Collectors.toSet()), NAME.matcher(text)
                    .results().map(MatchResult::group).collect(Collectors.toSet()));
        }

        /** The first words of a sentence within another one; a name keeps its capital letter. */
        String lowered(List<String> words, boolean plural) {
            String text = String.join(" ", words);
            String first = words.get(0);
            boolean known = small.contains(first.toLowerCase(Locale.ROOT)) || NO_NAMES.contains(first);
            boolean name = first.matches(".\\P{Ll}*\\p{Lu}.*|.*'s|I") || !known && (words.size() == 1
                    ? !first.matches(plural ? ".*s|.*" + NOUN : ".*" + NOUN)
                    : !words.get(1).matches("\\p{Ll}.*") || names.contains(first)
                            || words.get(1).matches("and|or") && !words.get(2).matches("\\p{Ll}.*"));
            return name ? text : text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
        }
    }

    private InvertedSentence(String opening, List<String> before, List<String> after, Spelling spelling) {
        this.spelling = spelling;
        this.opening = opening;
        this.before = before;
        this.after = after;
    }

    /** The question; empty where the sentence is not plain enough, or of another language. */
    static Optional<String> question(ClozeSentence blank, String language, Spelling spelling) {
        List<String> words = List.of(blank.sentence().replaceFirst("[.!]+$", "").split("\\s+"));
        if (words.stream().anyMatch(word -> INTRICATE.contains(word.toLowerCase(Locale.ROOT)) && isAhead(words, word)
                || word.matches(".*[,;:.!)\\]\"\u201c\u201d\u00bb/]|[(\\[\"\u201c\u201e\u201d\u00ab].*|.*\\.\\p{L}.*"))
                || !words.get(0).matches("_.*|\\p{L}.*")) {
            return Optional.empty();
        }
        if (language.equals(QuestionLanguage.GERMAN)) {
            return GermanClause.question(blank, words, spelling);
        }
        if (!language.equals(QuestionLanguage.ENGLISH)) {
            return Optional.empty();
        }
        Optional<String> opening = blank.openings().stream().filter(each -> !each.equals("What is")).findFirst()
                .filter(each -> each.matches("How .*|(By |Until )?[Ww]hen|\\w+ which \\w+|\\w+ how many .+|\\w+ whom"));
        int gap = words.indexOf(ClozeSentence.GAP);
        boolean named = !blank.value().matches("\\p{Ll}.*");
        boolean first = words.stream().limit(Math.max(0, gap)).allMatch(word -> BOUNDS.contains(word.toLowerCase(
                Locale.ROOT)) || word.equalsIgnoreCase("up"));
        if (opening.isEmpty() || gap < 0 || !named || !first && NO_SUBJECTS.contains(words.get(0).toLowerCase(
                Locale.ROOT))) {
            return Optional.empty();
        }
        List<String> after = clause(words.subList(gap + 1, words.size()), InvertedSentence::isVerb);
        boolean counts = opening.get().toLowerCase(Locale.ROOT).contains("how many");
        // Of what is joined to what is counted it is not sure whether it is counted, too.
        return counts && gap + 1 + after.size() < words.size() || after.stream().anyMatch(JOINING::contains)
                ? Optional.empty()
                : new InvertedSentence(opening.get(), new ArrayList<>(words.subList(0, gap)), after, spelling)
                        .question();
    }

    /** Whether a word precedes the value; behind it clauses of their own are asked for, too. */
    private static boolean isAhead(List<String> words, String word) {
        return words.indexOf(word) < words.indexOf(ClozeSentence.GAP) || word.equals("or");
    }

    /**
     * The subject of a clause, where a verb is one of the same kind as its own and so has this subject, too; empty
     * where that is not sure.
     */
    static Optional<List<String>> subject(List<String> clause, String verb, String language) {
        if (language.equals(QuestionLanguage.GERMAN)) {
            return GermanClause.subject(clause, verb);
        }
        for (int i = 1; i < clause.size(); i++) {
            String word = clause.get(i);
            boolean auxiliary = AUXILIARIES.contains(word);
            if (auxiliary || word.endsWith("s") && VERBS.contains(base(word))) {
                // Behind an auxiliary a word with an s may be a noun: and drinks at 8:00.
                boolean same = AUXILIARIES.contains(verb) || !auxiliary && verb.endsWith("s") && VERBS.contains(base(
                        verb));
                return same ? Optional.of(clause.subList(0, i)) : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** Plural nouns pass as verbs. */
    private static boolean isVerb(String word) {
        return AUXILIARIES.contains(word) || word.matches("\\p{Ll}{2,}s");
    }

    /** The words before a joined verb, or all. */
    static List<String> clause(List<String> words, Predicate<String> isVerb) {
        int end = IntStream.range(0, words.size() - 1).filter(i -> JOINING.contains(words.get(i))
                && isVerb.test(words.get(i + 1))).findFirst().orElse(words.size());
        return new ArrayList<>(words.subList(0, end));
    }

    private Optional<String> question() {
        List<String> unit = List.of(opening.replaceFirst("^.*(?:how many|which) |^How many ", "").split(" "));
        if (!before.isEmpty() && List.of(before.get(before.size() - 1)).equals(unit)) {
            before.remove(before.size() - 1);
        } else if (after.size() >= unit.size() && after.subList(0, unit.size()).equals(unit)) {
            after.subList(0, unit.size()).clear();
        } else if (!after.isEmpty() && (opening.equals("How often") || UNITS.contains(after.get(0).toLowerCase(
                Locale.ROOT)))) {
            after.remove(0);
        }
        if (!after.isEmpty() && (NO_UNITS.contains(after.get(0)) || MEASURES.contains(after.get(0)) && !measured())) {
            return Optional.empty();
        }
        Optional<String> named = ofWhatThereIs();
        if (named.isPresent()) {
            return named;
        }
        Optional<String> bound = withoutBounds();
        String last = before.isEmpty() ? "is" : before.get(before.size() - 1);
        if (opening.equals("How much") && (bound.isPresent() || !AUXILIARIES.contains(last) && !VERBS.contains(base(
                last)))) {
            return Optional.empty();
        }
        if (!after.isEmpty() && after.get(0).equals("of")) {
            int end = 2;
            while (end < after.size() && !ENDS.contains(after.get(end))) {
                end++;
            }
            List<String> counted = after.subList(0, Math.min(end, after.size()));
            opening += " " + String.join(" ", counted);
            counted.clear();
        }
        if (opening.contains("ow many") && !after.isEmpty() && (after.get(0).matches("before|after") || after.equals(
                List.of("in", "advance")))) {
            opening += " " + String.join(" ", after);
            after.clear();
        }
        if (before.isEmpty()) {
            return after.isEmpty() || !AUXILIARIES.contains(after.get(0)) ? Optional.empty() : joined(List.of());
        }
        for (int i = 1; i < before.size(); i++) {
            if (AUXILIARIES.contains(before.get(i))) {
                List<String> rest = before.subList(i + 1, before.size());
                int and = rest.indexOf("and") + 1;
                boolean second = and > 0 && and < rest.size()
                        && (rest.get(and).matches(".*(ed|en|[^s]t)") || isPredicate(
                                rest, and))
                        || JOINING.contains(before.get(i - 1));
                return second || rest.stream().anyMatch(AUXILIARIES::contains) ? Optional.empty()
                        : joined(inverted(before.get(i), i, rest));
            }
        }
        return ofVerb();
    }

    /** Takes out what is asked for with the value: words such as "at least", and one preposition, which is returned. */
    private Optional<String> withoutBounds() {
        String last = "";
        while (!before.isEmpty()) {
            String bound = before.get(before.size() - 1).toLowerCase(Locale.ROOT);
            boolean joined = bound.equals("up") && last.equals("to") || bound.equals("at") && last.matches("least|most")
                    || bound.equals("to") && before.size() > 1 && before.get(before.size() - 2).equalsIgnoreCase("up");
            if (!joined && !BOUNDS.contains(bound)) {
                return Optional.empty();
            }
            before.remove(before.size() - 1);
            if (!joined && PREPOSITIONS.contains(bound)) {
                return Optional.of(bound);
            }
            last = bound;
        }
        return Optional.empty();
    }

    /** {@code A sailor has a budget of ___ crowns.} is no question of how much a sailor has. */
    private Optional<String> ofWhatThereIs() {
        int has = Math.max(before.indexOf("has"), before.indexOf("have"));
        boolean named = has > 0 && has + 3 < before.size() && Set.of("a", "an").contains(before.get(has + 1))
                && before.get(before.size() - 1).equals("of");
        return !named ? Optional.empty() : Optional.of("What is the " + String.join(" ", before.subList(has + 2, before
                .size())) + " " + spelling.lowered(before.subList(0, has), before.get(has).equals("have")) + "?");
    }

    /** The verb directly precedes what was left out. */
    private Optional<String> ofVerb() {
        int last = before.size() - 1;
        String verb = before.get(last);
        if (last == 0 || !verb.matches("\\p{Ll}+") || JOINING.contains(before.get(last - 1))) {
            return Optional.empty();
        }
        boolean one = verb.endsWith("s");
        String base = base(verb);
        String noun = before.get(last - 1);
        // They last from 22:00 to 7:00: that is not when.
        boolean plain = VERBS.contains(base) && !(opening.equals("When") && base.matches("last|take"))
                && IntStream.range(0, last).noneMatch(i -> mayBeVerb(i, last, one));
        return plain && (one || noun.endsWith("s") || PLURALS.contains(noun))
                ? joined(inverted(one ? "does" : "do", last,
                        List.of(base)))
                : Optional.empty();
    }

    /** Whether a word of the subject may be the verb: {@code The library lends 5 books.} */
    private boolean mayBeVerb(int at, int verb, boolean one) {
        String word = before.get(at);
        boolean plural = word.matches(".*[^su]s") && !word.endsWith("'s");
        return at > 0 && VERBS.contains(word) || word.matches("\\d.*") && at < verb - 1
                || plural && (one ? at == 0 || !PARTS.contains(before.get(at - 1)) : at > 0 && at < verb - 1 && !PARTS
                        .contains(before.get(at - 1)));
    }

    /** Whether a word is the verb of what precedes it: helping, of one behind a noun, or of several behind a plural. */
    static boolean isPredicate(List<String> words, int at) {
        String word = words.get(at);
        String noun = words.get(at - 1);
        boolean plural = noun.matches(".*[^s]s|who|that|which") || PLURALS.contains(noun.toLowerCase(Locale.ROOT));
        boolean other = at + 1 < words.size() && (AUXILIARIES.contains(words.get(at + 1)) || HELPING
                .contains(words.get(at + 1))
                || !SURE.contains(base(word))
                        && VERBS.contains(base(words.get(at + 1))));
        return AUXILIARIES.contains(word) || HELPING.contains(word) || !other && !BOUNDS.contains(noun.toLowerCase(
                Locale.ROOT)) && (word.endsWith("s") ? VERBS.contains(base(word))
                        : plural ? VERBS.contains(word)
                                : SURE.contains(word));
    }

    private static String base(String verb) {
        return verb.equals("has") ? "have" : verb.matches(".*[^s]ies") ? verb.substring(0, verb.length() - 3) + "y"
                : verb.matches(".*(ch|sh|ss|x|z|o)es") ? verb.substring(0, verb.length() - 2)
                        : verb.endsWith("s") ? verb.substring(0, verb.length() - 1) : verb;
    }

    /** {@code 3 metres long} is asked for with "How long". */
    private boolean measured() {
        opening = "How " + after.remove(0);
        return after.isEmpty() && before.stream().anyMatch(Set.of("is", "are")::contains);
    }

    private List<String> inverted(String auxiliary, int subject, List<String> rest) {
        boolean plural = !Set.of("is", "was", "does").contains(auxiliary);
        return Stream.concat(Stream.of(auxiliary, spelling.lowered(before.subList(0, subject), plural)), rest.stream())
                .toList();
    }

    private Optional<String> joined(List<String> words) {
        return Optional.of(Stream.of(Stream.of(opening), words.stream(), after.stream()).flatMap(part -> part)
                .collect(Collectors.joining(" ")) + "?");
    }
}
