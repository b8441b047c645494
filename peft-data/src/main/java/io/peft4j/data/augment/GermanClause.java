package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * German main clauses, whose verb is second: what is asked for goes first, the verb follows, then the rest in its
 * order, whether it begins with the subject or with a time or place.
 */
final class GermanClause {
    /** Finite verbs, and endings of those that are regular. */
    private static final Pattern VERB = Pattern.compile("ist|sind|war|waren|hat|haben|darf|d\u00fcrfen|muss|"
            + "m\u00fcssen|kann|k\u00f6nnen|soll|sollen|wird|werden|\\p{Ll}{2,}(t|en)");
    private static final Set<String> HELPING = Set.of("ist", "sind", "hat", "haben", "darf", "d\u00fcrfen", "muss",
            "m\u00fcssen", "kann", "k\u00f6nnen", "soll", "sollen", "wird", "werden", "gilt", "gibt");
    private static final Set<String> NO_VERBS = RuleWords.of("german.no_verbs");
    /** A participle or an adverb that begins a sentence, as a noun does. */
    private static final Pattern ADVERB = Pattern
            .compile("\\p{L}+(lich|weise|mals|falls|tags|gens|bends|achts)|Ge\\p{L}*(t|en)");
    /** A masculine subject whose noun is the same in the accusative. */
    private static final String STRONG = "\\S+ (\\p{Ll}+e )?\\p{Lu}\\S*(?<!ent|ant|ist|at|e|Herr)( .*)?";
    /** What is neither a topic nor a noun. */
    private static final Set<String> NO_OBJECTS = RuleWords.of("german.no_objects");
    private static final Set<String> LOWER = RuleWords.of("german.lower");
    private static final Set<String> BOUNDS = RuleWords.of("german.bounds");
    private static final Set<String> WITH_DATIVE = RuleWords.of("german.with_dative");
    private static final Pattern FEMININE = Pattern.compile("\\p{Lu}.*(nummer|wahl|ung|heit|keit|ion|e)|Nummer");
    private static final Pattern PERSON = Pattern.compile("(Frau|Herrn?|Dr\\.?|Prof\\.?) .*");
    private static final Map<String, String> OF_PERSONS = Map.of("bei", "Bei wem", "von", "Von wem", "mit",
            "Mit wem", "zu", "Zu wem", "an", "An wen", "f\u00fcr", "F\u00fcr wen", "durch", "Durch wen", "",
            "Wer");

    /** What makes a sentence less than plain: a negation, a clause within it, a subject named before. */
    private static final Set<String> INTRICATE = RuleWords.of("german.intricate");
    private static final Set<String> ARTICLES = RuleWords.of("german.articles");

    private GermanClause() {
    }

    /** As that of English: a clause that begins with its subject, and a second verb. */
    static Optional<List<String>> subject(List<String> clause, String verb) {
        int at = IntStream.range(1, clause.size()).filter(i -> isVerb(clause.get(i))).findFirst().orElse(0);
        return at > 1 && ARTICLES.contains(clause.get(0)) && isVerb(verb) ? Optional.of(clause.subList(0, at))
                : Optional.empty();
    }

    static Optional<String> question(ClozeSentence blank, List<String> words, InvertedSentence.Spelling spelling) {
        int gap = words.indexOf(ClozeSentence.GAP);
        String begin = words.get(0).toLowerCase(Locale.ROOT);
        boolean adjective = words.size() > 1 && words.get(0).matches("\\p{Lu}\\p{Ll}+(e|en)")
                && !LOWER.contains(begin)
                && words.get(1).matches("\\p{Lu}.*") && !spelling.small().contains(begin);
        if (gap < 0 || adjective
                || words.stream().anyMatch(word -> INTRICATE.contains(word.toLowerCase(Locale.ROOT)))
                || Set.of("er", "sie", "es", "dies", "diese", "dieser", "dieses", "sonst", "danach", "dann",
                        "bitte")
                        .contains(begin)) {
            return Optional.empty();
        }
        List<String> before = new ArrayList<>(words.subList(0, gap));
        List<String> after = InvertedSentence.clause(words.subList(gap + 1, words.size()), GermanClause::isVerb);
        if (InvertedSentence.clause(before, GermanClause::isVerb).size() < before.size()
                || after.stream().anyMatch(HandbookFact.JOINING::contains)) {
            return Optional.empty();
        }
        return opening(blank, before, after).flatMap(opening -> inverted(opening, before, after, spelling));
    }

    /** How the question begins; what it asks with is taken out of the sentence. */
    private static Optional<String> opening(ClozeSentence blank, List<String> before, List<String> after) {
        String last = before.isEmpty() ? "" : before.get(before.size() - 1);
        String first = blank.openings().get(0);
        if (last.matches("je|Nr\\.?|Nummer")) {
            return Optional.empty();
        }
        if (PERSON.matcher(blank.value()).matches()) {
            // Nach Freigabe durch Frau Ott: who is named may belong to the noun.
            if (last.matches("durch|von|mit|f\u00fcr") && before.size() > 2 && before.get(before.size() - 2).matches(
                    "\\p{Lu}.*")) {
                return Optional.empty();
            }
            return Optional.ofNullable(OF_PERSONS.get(before.isEmpty() ? "" : last.toLowerCase(Locale.ROOT)))
                    .map(asked -> taken(asked, before));
        }
        if (first.matches("(Bis |Ab )?[Ww]ann") || first.equals("Wie oft")) {
            after.subList(0, first.equals("Wie oft") || after.indexOf("Uhr") == 0 ? 1 : 0).clear();
            withoutBounds(before);
            return Optional.of(first);
        }
        if (first.equals("Wie viel")) {
            boolean sign = !blank.value().matches(".*\\d");
            withoutBounds(before);
            return sign ? Optional.of(first) : after.isEmpty() || after.size() > 1 && after.get(1).matches("\\p{Lu}.*")
                    ? Optional.empty()
                    : Optional.of("Wie viel " + after.remove(0));
        }
        if (first.startsWith("Wie viele ")) {
            after.remove(0);
            boolean dative = WITH_DATIVE.contains(last.toLowerCase(Locale.ROOT)) && first.endsWith("n");
            String asked = first;
            if (dative) {
                before.remove(before.size() - 1);
                boolean within = !before.isEmpty() && before.get(before.size() - 1).equals("innerhalb");
                asked = RuleWords.capital(within ? before.remove(before.size() - 1) + " " + last : last) + " wie vielen"
                        + first.substring("Wie viele".length());
            }
            withoutBounds(before);
            while (!after.isEmpty() && Character.isUpperCase(after.get(0).codePointAt(0))) {
                asked += " " + after.remove(0);
            }
            return Optional.of(asked);
        }
        return kind(before);
    }

    /** {@code in Raum ___} is asked for with {@code In welchem Raum}. */
    private static Optional<String> kind(List<String> before) {
        int size = before.size();
        if (size < 2 || !Set.of("in", "unter", "mit", "aus", "bei", "auf").contains(before.get(size - 2))
                || !Character.isUpperCase(before.get(size - 1).codePointAt(0))) {
            return Optional.empty();
        }
        String kind = before.remove(size - 1);
        return Optional
                .of(taken(RuleWords.capital(before.get(size - 2)) + (FEMININE.matcher(kind).matches() ? " welcher "
                        : " welchem ") + kind, before));
    }

    private static Optional<String> inverted(String opening, List<String> before, List<String> after,
            InvertedSentence.Spelling spelling) {
        List<String> all = before.isEmpty() ? after : before;
        if (!before.isEmpty() && before.get(before.size() - 1).matches("an|auf|aus|bei|f\u00fcr|gegen|in|mit|nach|ohne|"
                + "\u00fcber|unter|von|zwischen")) {
            return Optional.empty();
        }
        for (int i = before.isEmpty() ? 0 : 1; i < all.size(); i++) {
            if (i == 0 ? isVerb(all.get(0)) : isFinite(all, i)) {
                String verb = all.remove(i);
                if (i < all.size() && all.get(i).matches("es|man|wir|ich|ihr")) {
                    verb += " " + all.remove(i);
                }
                before.replaceAll(
                        word -> word.equals(before.get(0))
                                && (LOWER.contains(word.toLowerCase(Locale.ROOT))
                                        || spelling.small().contains(word.toLowerCase(Locale.ROOT)))
                                                ? word.toLowerCase(Locale.ROOT) : word);
                return Optional.of(Stream.of(Stream.of(opening, verb), before.stream(), after.stream())
                        .flatMap(part -> part).collect(Collectors.joining(" ")) + "?");
            }
        }
        return Optional.empty();
    }

    /** Whether a word is the verb behind the first part of a clause, and no adjective before a noun. */
    static boolean isFinite(List<String> words, int at) {
        return isVerb(words.get(at)) && (HELPING.contains(words.get(at)) || words.get(at - 1).matches(
                "\\p{Lu}.*|.*[\\d\u20ac%)]|kg|km|m|er|es|sie"));
    }

    /** The part of a clause before its verb in the accusative, which follows "\u00fcber"; empty where not sure. */
    static Optional<String> object(List<String> part, InvertedSentence.Spelling spelling) {
        String text = String.join(" ", part);
        boolean masculine = text.matches("(Der|Jeder) .*");
        boolean unsure = masculine && !text.matches(STRONG) || ADVERB.matcher(text).matches() || part.stream().limit(2)
                .anyMatch(word -> NO_OBJECTS.contains(word.toLowerCase(Locale.ROOT)));
        return unsure ? Optional.empty() : Optional.of(lowered(part, spelling).replaceFirst(
                "^(d|jed|\\p{Ll}{3,})er (?=\\p{Lu}|\\p{Ll}+e )", "$1en ").replaceFirst(
                        masculine ? "^(\\S+ \\p{Ll}+e) "
                                : "^$",
                        "$1n "));
    }

    static String lowered(List<String> part, InvertedSentence.Spelling spelling) {
        String first = part.get(0).toLowerCase(Locale.ROOT);
        boolean adjective = part.size() > 1 && first.matches("\\p{L}+(e|en|er|es)") && part.get(1).matches(
                "\\p{Lu}.*") && !spelling.names().contains(part.get(0));
        return String.join(" ", LOWER.contains(first) || adjective ? first : part.get(0), String.join(" ", part
                .subList(1, part.size()))).strip();
    }

    private static boolean isVerb(String word) {
        return VERB.matcher(word).matches() && !NO_VERBS.contains(word);
    }

    private static String taken(String asked, List<String> before) {
        if (!before.isEmpty()) {
            before.remove(before.size() - 1);
        }
        return asked;
    }

    private static void withoutBounds(List<String> before) {
        while (!before.isEmpty() && BOUNDS.contains(before.get(before.size() - 1).toLowerCase(Locale.ROOT))) {
            before.remove(before.size() - 1);
        }
    }
}
