package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
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
    private static final Set<String> AUXILIARIES = Set.of("is", "are", "was", "were", "can", "may", "must", "should",
            "will", "might", "could", "would");
    /** What precedes a value and is asked for with it. */
    private static final Set<String> BOUNDS = Set.of("at", "by", "before", "after", "until", "till", "from", "up", "to",
            "least", "most", "about", "within", "every", "in", "on", "with", "through", "behind", "over", "under",
            "via",
            "the", "a", "an", "for");
    /** Where what is counted ends: {@code days of annual leave | each year}. */
    private static final Set<String> ENDS = Set.of("each", "every", "a", "an", "per", "before", "after", "until", "in",
            "on", "at", "by", "for", "from", "to", "with", "within", "when", "if", "during");
    private static final Set<String> UNITS = Set.of("am", "pm", "o'clock", "euro", "euros", "cent", "cents", "dollar",
            "dollars", "pound", "pounds", "percent", "eur", "usd", "gbp", "chf", "franc", "francs");

    /** What joins a second verb to a subject: what follows is not asked for. */
    private static final Set<String> JOINING = Set.of("and", "but", "und", "aber");

    private final List<String> before;
    private final List<String> after;
    private String opening;

    private InvertedSentence(String opening, List<String> before, List<String> after) {
        this.opening = opening;
        this.before = before;
        this.after = after;
    }

    /** The question; empty where the sentence is not plain enough, or of another language. */
    static Optional<String> question(ClozeSentence blank, String language) {
        List<String> words = List.of(blank.sentence().replaceFirst("[.!]$", "").split(" "));
        if (language.equals(QuestionLanguage.GERMAN)) {
            return German.question(blank, words);
        }
        if (!language.equals(QuestionLanguage.ENGLISH)) {
            return Optional.empty();
        }
        Optional<String> opening = blank.openings().stream().filter(each -> !each.equals("What is")).findFirst()
                .filter(each -> each.matches("How .*|(By |Until )?[Ww]hen|\\w+ (which|how many) \\w+|\\w+ whom"));
        int gap = words.indexOf(ClozeSentence.GAP);
        boolean named = !blank.value().matches("\\p{Ll}.*");
        return opening.isEmpty() || gap < 0 || !named || words.stream().anyMatch(word -> word.matches(".*[,;:]"))
                ? Optional.empty()
                : new InvertedSentence(opening.get(), new ArrayList<>(words.subList(0, gap)),
                        clause(words.subList(gap + 1, words.size()), InvertedSentence::isVerb)).question();
    }

    /** Plural nouns pass as verbs. */
    private static boolean isVerb(String word) {
        return AUXILIARIES.contains(word) || word.matches("\\p{Ll}{2,}s");
    }

    /** The words before a joined verb, or all. */
    private static List<String> clause(List<String> words, Predicate<String> isVerb) {
        int end = IntStream.range(0, words.size() - 1).filter(i -> JOINING.contains(words.get(i))
                && isVerb.test(words.get(i + 1))).findFirst().orElse(words.size());
        return new ArrayList<>(words.subList(0, end));
    }

    private Optional<String> question() {
        String unit = opening.substring(opening.lastIndexOf(' ') + 1);
        if (!before.isEmpty() && before.get(before.size() - 1).equals(unit)) {
            before.remove(before.size() - 1);
        } else if (!after.isEmpty() && (opening.equals("How often") || after.get(0).equals(unit)
                || UNITS.contains(after.get(0).toLowerCase(Locale.ROOT)))) {
            after.remove(0);
        }
        Optional<String> named = ofWhatThereIs();
        if (named.isPresent()) {
            return named;
        }
        while (!before.isEmpty() && BOUNDS.contains(before.get(before.size() - 1).toLowerCase(Locale.ROOT))) {
            before.remove(before.size() - 1);
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
        if (before.isEmpty()) {
            return after.isEmpty() || !AUXILIARIES.contains(after.get(0)) ? Optional.empty() : joined(List.of());
        }
        for (int i = 1; i < before.size(); i++) {
            if (AUXILIARIES.contains(before.get(i))) {
                List<String> rest = before.subList(i + 1, before.size());
                return clause(rest, AUXILIARIES::contains).size() < rest.size() ? Optional.empty()
                        : joined(inverted(before.get(i), i, rest));
            }
        }
        return ofVerb();
    }

    /** {@code A sailor has a budget of ___ crowns.} is no question of how much a sailor has. */
    private Optional<String> ofWhatThereIs() {
        int has = Math.max(before.indexOf("has"), before.indexOf("have"));
        boolean named = has > 0 && has + 3 < before.size() && Set.of("a", "an").contains(before.get(has + 1))
                && before.get(before.size() - 1).equals("of");
        return !named ? Optional.empty() : Optional.of("What is the " + String.join(" ", before.subList(has + 2, before
                .size())) + " " + subject(has) + "?");
    }

    /** The verb directly precedes what was left out. */
    private Optional<String> ofVerb() {
        int last = before.size() - 1;
        String verb = before.get(last);
        if (last == 0 || !verb.matches("\\p{Ll}+") || JOINING.contains(before.get(last - 1))) {
            return Optional.empty();
        }
        boolean one = verb.endsWith("s");
        String base = verb.equals("has") ? "have" : verb.endsWith("ies") ? verb.substring(0, verb.length() - 3) + "y"
                : verb.matches(".*(ch|sh|ss|x|z|o)es") ? verb.substring(0, verb.length() - 2)
                        : one ? verb.substring(0, verb.length() - 1) : verb;
        return one || before.get(last - 1).endsWith("s") ? joined(inverted(one ? "does" : "do", last, List.of(base)))
                : Optional.empty();
    }

    private List<String> inverted(String auxiliary, int subject, List<String> rest) {
        return Stream.concat(Stream.of(auxiliary, subject(subject)), rest.stream()).toList();
    }

    /** The first words; a name of several keeps its capital letter. */
    private String subject(int size) {
        String text = String.join(" ", before.subList(0, size));
        boolean name = size > 1 && Character.isUpperCase(before.get(1).charAt(0)) && before.get(0).length() > 3;
        return name ? text : text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
    }

    private Optional<String> joined(List<String> words) {
        return Optional.of(Stream.of(Stream.of(opening), words.stream(), after.stream()).flatMap(part -> part)
                .collect(Collectors.joining(" ")) + "?");
    }

    /**
     * German main clauses, whose verb is second: what is asked for goes first, the verb follows, then the rest in its
     * order, whether it begins with the subject or with a time or place.
     */
    private static final class German {
        /** Finite verbs, and endings of those that are regular. */
        private static final Pattern VERB = Pattern.compile("ist|sind|war|waren|hat|haben|darf|d\u00fcrfen|muss|"
                + "m\u00fcssen|kann|k\u00f6nnen|soll|sollen|wird|werden|\\p{Ll}{2,}(t|en)");
        private static final Set<String> NO_VERBS = Set.of("mit", "seit", "erst", "nicht", "fast", "meist", "zuerst",
                "zuletzt", "jetzt", "den", "einen", "jeden", "allen", "ihren", "seinen", "unseren", "neben", "gegen",
                "zwischen", "oben", "unten", "wegen", "eigenen", "neuen", "ersten", "letzten", "n\u00e4chsten");
        private static final Set<String> LOWER = Set.of("der", "die", "das", "den", "dem", "ein", "eine", "einen",
                "einem", "einer", "jeder", "jede", "jedes", "alle", "im", "am", "in", "an", "auf", "bei", "f\u00fcr",
                "mit", "nach", "vor", "zum", "zur", "unser", "unsere", "wir", "sie", "er", "es", "man", "ihr", "ihre");
        private static final Set<String> BOUNDS = Set.of("um", "bis", "zu", "ab", "vor", "von", "mindestens", "zum",
                "h\u00f6chstens", "sp\u00e4testens", "etwa", "rund", "genau", "alle", "maximal");
        private static final Set<String> WITH_DATIVE = Set.of("nach", "in", "mit", "seit", "von", "binnen");
        private static final Pattern FEMININE = Pattern.compile("\\p{Lu}.*(nummer|wahl|ung|heit|keit|ion|e)|Nummer");
        private static final Pattern PERSON = Pattern.compile("(Frau|Herrn?|Dr\\.?|Prof\\.?) .*");
        private static final Map<String, String> OF_PERSONS = Map.of("bei", "Bei wem", "von", "Von wem", "mit",
                "Mit wem", "zu", "Zu wem", "an", "An wen", "f\u00fcr", "F\u00fcr wen", "durch", "Durch wen", "",
                "Wer");

        static Optional<String> question(ClozeSentence blank, List<String> words) {
            int gap = words.indexOf(ClozeSentence.GAP);
            if (gap < 0 || words.stream().anyMatch(word -> word.matches(".*[,;:]"))) {
                return Optional.empty();
            }
            List<String> before = new ArrayList<>(words.subList(0, gap));
            List<String> after = clause(words.subList(gap + 1, words.size()), German::isVerb);
            if (clause(before, German::isVerb).size() < before.size()) {
                return Optional.empty();
            }
            return opening(blank, before, after).flatMap(opening -> inverted(opening, before, after));
        }

        /** How the question begins; what it asks with is taken out of the sentence. */
        private static Optional<String> opening(ClozeSentence blank, List<String> before, List<String> after) {
            String last = before.isEmpty() ? "" : before.get(before.size() - 1);
            String first = blank.openings().get(0);
            if (PERSON.matcher(blank.value()).matches()) {
                return Optional.ofNullable(OF_PERSONS.get(before.isEmpty() ? "" : last.toLowerCase(Locale.ROOT)))
                        .map(asked -> taken(asked, before));
            }
            if (first.matches("(Bis |Ab )?[Ww]ann") || first.equals("Wie oft")) {
                after.subList(0, first.equals("Wie oft") || after.indexOf("Uhr") == 0 ? 1 : 0).clear();
                withoutBounds(before);
                return Optional.of(first);
            }
            if (first.equals("Wie viel") && !after.isEmpty()) {
                withoutBounds(before);
                return Optional.of("Wie viel " + after.remove(0));
            }
            if (first.startsWith("Wie viele ")) {
                after.remove(0);
                boolean dative = WITH_DATIVE.contains(last.toLowerCase(Locale.ROOT)) && first.endsWith("n");
                String asked = first;
                if (dative) {
                    before.remove(before.size() - 1);
                    boolean within = !before.isEmpty() && before.get(before.size() - 1).equals("innerhalb");
                    asked = capital(within ? before.remove(before.size() - 1) + " " + last : last) + " wie vielen"
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
            return Optional.of(taken(capital(before.get(size - 2)) + (FEMININE.matcher(kind).matches() ? " welcher "
                    : " welchem ") + kind, before));
        }

        private static Optional<String> inverted(String opening, List<String> before, List<String> after) {
            List<String> all = before.isEmpty() ? after : before;
            for (int i = before.isEmpty() ? 0 : 1; i < all.size(); i++) {
                if (isVerb(all.get(i))) {
                    String verb = all.remove(i);
                    before.replaceAll(
                            word -> word.equals(before.get(0)) && LOWER.contains(word.toLowerCase(Locale.ROOT))
                                    ? word.toLowerCase(Locale.ROOT) : word);
                    return Optional.of(Stream.of(Stream.of(opening, verb), before.stream(), after.stream())
                            .flatMap(part -> part).collect(Collectors.joining(" ")) + "?");
                }
            }
            return Optional.empty();
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

        private static String capital(String word) {
            return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
        }
    }
}
