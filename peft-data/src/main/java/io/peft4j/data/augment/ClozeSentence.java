package io.peft4j.data.augment;

import io.peft4j.data.format.ListMarkers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A sentence with one value left out, and how a question for that value begins.
 *
 * @param sentence with {@value #GAP} in the value's place
 * @param value what was left out
 * @param openings how questions for it begin, at least one
 */
record ClozeSentence(String sentence, String value, List<String> openings) {
    static final String GAP = "___";
    private static final Pattern NUMBER = Pattern.compile("[^\\p{L}\\p{N}]*[\\p{L}-]*\\d.*");
    private static final Pattern AMOUNT = Pattern.compile("[^\\p{L}\\p{N}]*\\d+([.,]\\d+)*[^\\p{L}\\p{N}]*");
    private static final Pattern CLOCK = Pattern.compile("(?:[01]?\\d|2[0-4])[:.][0-5]\\d");
    private static final Pattern MONEY = Pattern.compile("[\u20ac$\u00a3]\\S+|\\S*[\u20ac$\u00a3%]");
    /** What follows a number and belongs to it: {@code 7:30 a.m.}, {@code 20 %}. */
    private static final Pattern SIGN = Pattern.compile("[ap]\\.?m\\.|[ap]\\.|m\\.|[\u20ac$\u00a3%]|\u00b0[CF]?");
    /** A clock time with a period, as 7.30, has one of these before it. */
    private static final Set<String> AT = RuleWords.of("all.at");
    private static final Set<String> TO = RuleWords.of("all.to");
    private static final Set<String> BETWEEN = RuleWords.of("all.between");
    private static final Pattern NAME = Pattern.compile("\\p{Lu}[\\p{L}\\p{N}'.-]*[.,;]?");
    private static final Pattern WORD = Pattern.compile("\\p{L}{4,}[.,;]?");
    private static final Pattern MARKS = Pattern.compile("[.,;:!]+$");
    private static final int MOST = 3;
    /** A shorter sentence without number and name, as "please keep it clean", states nothing to be asked for. */
    private static final int FEWEST_WORDS = 5;

    /** Copies the list. */
    ClozeSentence {
        openings = List.copyOf(openings);
    }

    /**
     * Each number of a sentence left out, or where it has none each name, the last first, or else its last
     * word, of a sentence of some words.
     */
    static List<ClozeSentence> of(String sentence, String language) {
        Openings openings = language.equals(QuestionLanguage.GERMAN) ? new GermanOpenings() : new EnglishOpenings();
        String[] tokens = sentence.split("\\s+");
        List<ClozeSentence> blanks = new ArrayList<>();
        for (int i = 0; i < tokens.length && blanks.size() < MOST; i++) {
            if (NUMBER.matcher(tokens[i]).matches()) {
                Value value = value(tokens, i);
                blanks.add(new ClozeSentence(value.leftOut(), value.text(), openings.ofNumber(value)));
                i = value.to - 1;
            }
        }
        return blanks.isEmpty() ? names(tokens, openings) : blanks;
    }

    /** A number with its sign, a day with its month, or a range of these. */
    private static Value value(String[] tokens, int at) {
        int to = behind(tokens, at);
        boolean between = at > 0 && BETWEEN.contains(tokens[at - 1].toLowerCase(Locale.ROOT));
        if (to + 1 < tokens.length && !MARKS.matcher(tokens[at]).find() && NUMBER.matcher(tokens[to + 1]).matches()
                && (TO.contains(tokens[to]) || between && HandbookFact.JOINING.contains(tokens[to]))) {
            to = behind(tokens, to + 1);
        }
        return new Value(tokens, at > 0 && ListMarkers.isMonth(tokens[at - 1]) ? at - 1 : at, to);
    }

    /** The first word behind a number, its sign, its month and its year. */
    private static int behind(String[] tokens, int number) {
        int at = number + 1;
        boolean day = at < tokens.length && ListMarkers.isMonth(Value.plain(tokens[at]));
        at += day ? 1 : 0;
        while (at < tokens.length && (SIGN.matcher(tokens[at].replaceFirst("[,;]$", "")).matches() || SIGN.matcher(Value
                .plain(tokens[at])).matches() || day && tokens[at].matches("\\d{4}[.,;]?"))) {
            at++;
        }
        return at;
    }

    private static List<ClozeSentence> names(String[] tokens, Openings openings) {
        List<ClozeSentence> blanks = new ArrayList<>();
        for (int to = tokens.length; to > 1 && blanks.size() < MOST; to--) {
            int from = to;
            while (from > 1 && NAME.matcher(tokens[from - 1]).matches()) {
                from--;
            }
            if (from < to) {
                Value value = new Value(tokens, from, to);
                blanks.add(new ClozeSentence(value.leftOut(), value.text(), openings.ofName(value)));
                to = from;
            }
        }
        for (int at = tokens.length - 1; at >= FEWEST_WORDS - 1 && blanks.isEmpty(); at--) {
            if (WORD.matcher(tokens[at]).matches()) {
                Value value = new Value(tokens, at, at + 1);
                blanks.add(new ClozeSentence(value.leftOut(), value.text(), openings.ofName(value)));
            }
        }
        return blanks;
    }

    /** Whether a text has the value: of a number without what follows it, of a name the last word. */
    boolean isIn(String text) {
        String last = value.replaceFirst(NUMBER.matcher(value).matches() ? " .*" : ".* ", "").toLowerCase(Locale.ROOT);
        return text.toLowerCase(Locale.ROOT).contains(last);
    }

    /** A question without the preposition that stood before the value, where that is its last word. */
    String withoutLooseEnd(String question) {
        int gap = sentence.indexOf(GAP);
        String before = sentence.substring(0, gap).strip();
        for (String loose : List.of("up to", before.substring(before.lastIndexOf(' ') + 1))) {
            boolean asksWhen = openings.contains("When") || openings.contains("How much");
            if (asksWhen && before.endsWith(loose) && question.endsWith(" " + loose + "?")) {
                return question.substring(0, question.length() - loose.length() - 2) + "?";
            }
        }
        return question;
    }

    /** How questions for a value begin in a language, the surest first. */
    interface Openings {
        List<String> ofNumber(Value value);

        List<String> ofName(Value value);
    }

    /**
     * A value in its sentence.
     *
     * @param tokens the sentence's words with their marks
     * @param from its first word
     * @param to behind its last word
     */
    record Value(String[] tokens, int from, int to) {
        private static String plain(String token) {
            return MARKS.matcher(token).replaceAll("");
        }

        String leftOut() {
            List<String> left = new ArrayList<>(List.of(tokens).subList(0, from));
            String last = tokens[to - 1];
            boolean sign = to < tokens.length && to > from + 1 && SIGN.matcher(last).matches();
            left.add(GAP + (sign ? "" : last.substring(plain(last).length())));
            left.addAll(List.of(tokens).subList(to, tokens.length));
            return String.join(" ", left);
        }

        String text() {
            return plain(String.join(" ", List.of(tokens).subList(from, to)));
        }

        /** Its first word, in lower case. */
        String first() {
            return plain(tokens[from]).toLowerCase(Locale.ROOT);
        }

        /** The word so far before it, in lower case; empty before the beginning. */
        String before(int distance) {
            return from < distance ? "" : plain(tokens[from - distance]).toLowerCase(Locale.ROOT);
        }

        /** The word so far after it as it is written; empty where the clause ends with the value. */
        String after(int distance) {
            int at = to - 1 + distance;
            return at >= tokens.length || MARKS.matcher(tokens[to - 1]).find() ? "" : plain(tokens[at]);
        }

        /** A time of day, or a day. */
        boolean isClock() {
            boolean period = tokens[from].contains(".") && to == from + 1;
            return text().matches(".* [ap]\\.? ?m|.*\\d[ap]m") || isDay()
                    || CLOCK.matcher(plain(tokens[from])).matches()
                            && (!period || AT.contains(before(1)) && !after(1).matches("\\p{Lu}.*|\\p{L}{2,}s"));
        }

        private boolean isDay() {
            return Stream.of(tokens).limit(to).skip(from).anyMatch(word -> ListMarkers.isMonth(plain(word)));
        }

        boolean hasCurrency() {
            return Stream.of(tokens).limit(to).skip(from).anyMatch(word -> MONEY.matcher(plain(word)).matches());
        }

        /** What is counted, up to a plural noun; empty without one. */
        String counted(Set<String> others) {
            for (int distance = 1; distance <= 3
                    && after(distance).matches("\\p{Ll}[\\p{L}-]+|\\p{L}[\\p{L}-]+"); distance++) {
                String word = after(distance);
                if (word.matches(".*[^s]s") || others.contains(word)) {
                    return IntStream.rangeClosed(1, distance).mapToObj(this::after).collect(Collectors.joining(" "));
                }
                if (MARKS.matcher(tokens[to - 1 + distance]).find()) {
                    break;
                }
            }
            return "";
        }

        /** Whether it is a number alone, with a word after it. */
        boolean isAmount() {
            return AMOUNT.matcher(tokens[from]).matches() && after(1).matches("[\\p{L}-]{2,}");
        }
    }

    /**
     * How English questions for a value begin: what is asked for follows from the words around it. {@code in room
     * B-207} is asked for with "In which room", {@code 26 days of leave} with "How many days", {@code before 9:15} with
     * "By when".
     */
    private static final class EnglishOpenings implements ClozeSentence.Openings {
        private static final Set<String> ARTICLES = RuleWords.of("english.articles");
        private static final Set<String> PREPOSITIONS = RuleWords.of("english.prepositions");
        /** What is counted without an s, or measured. */
        private static final Set<String> PLURALS = RuleWords.of("english.plurals");
        private static final Set<String> ABOUT = RuleWords.of("english.about");
        private static final Set<String> NO_COUNTS = RuleWords.of("english.no_counts");
        /** What is not counted though it follows a number. */
        private static final Set<String> SMALL = RuleWords.of("english.small");
        private static final Set<String> TIMES = RuleWords.of("english.times");
        private static final Set<String> MONEY = RuleWords.of("english.money");
        private static final Set<String> TITLES = RuleWords.of("english.titles");

        @Override
        public List<String> ofNumber(ClozeSentence.Value value) {
            String unit = value.after(1).toLowerCase(Locale.ROOT);
            boolean money = value.hasCurrency() || MONEY.contains(unit);
            if (!money && (value.isClock() || Set.of("am", "pm", "o'clock").contains(unit))) {
                return switch (value.before(1)) {
                    case "by", "before" -> List.of("By when", "When");
                    case "until", "till" -> List.of("Until when", "When");
                    default -> List.of("When");
                };
            }
            if (money) {
                return List.of("What is", "How much");
            }
            if (value.isAmount() && !SMALL.contains(unit) && !PREPOSITIONS.contains(unit)) {
                return counted(value, value.counted(PLURALS), TIMES.contains(unit) && !value.after(2).equals("of"));
            }
            return which(value);
        }

        private static List<String> counted(ClozeSentence.Value value, String unit, boolean time) {
            boolean about = ABOUT.contains(value.before(1));
            String before = value.before(about ? 2 : 1);
            if (before.equals("every")) {
                return List.of(PREPOSITIONS.contains(value.before(about ? 3 : 2)) ? "What is" : "How often");
            }
            List<String> all = new ArrayList<>();
            if (PREPOSITIONS.contains(before) && !NO_COUNTS.contains(before) && !unit.isEmpty()
                    && !value.before(2).equals(
                            "up")) {
                all.add(RuleWords.capital(before) + " how many " + unit);
            }
            if (!unit.isEmpty() && !NO_COUNTS.contains(before)) {
                all.add("How many " + unit);
            }
            if (time) {
                all.add("How long");
            }
            all.add("What is");
            return all;
        }

        /** For what has the name of a kind before it: a room, a form, a hotline. */
        private static List<String> which(ClozeSentence.Value value) {
            String kind = value.before(1);
            if (kind.isEmpty() || value.before(2).equals("by") && kind.endsWith("ing") || SMALL.contains(kind)
                    || PREPOSITIONS.contains(kind)) {
                return List.of("What");
            }
            String place = value.before(ARTICLES.contains(value.before(2)) ? 3 : 2);
            return PREPOSITIONS.contains(place)
                    ? List.of(RuleWords.capital(place) + " which " + kind, "Which " + kind, "What is")
                    : List.of("Which " + kind, "What is");
        }

        @Override
        public List<String> ofName(ClozeSentence.Value value) {
            String before = value.before(1);
            if (TITLES.contains(value.first())) {
                return PREPOSITIONS.contains(before) ? List.of(RuleWords.capital(before) + " whom", "Who")
                        : List.of("Who");
            }
            return ARTICLES.contains(before) || PREPOSITIONS.contains(before) ? List.of("Where", "Who", "What", "Which")
                    : which(value);
        }
    }

    /**
     * How German questions for a value begin, as {@link ClozeSentence.EnglishOpenings} but for what would need a noun's
     * gender.
     */
    private static final class GermanOpenings implements ClozeSentence.Openings {
        private static final Set<String> TIMES = RuleWords.of("german.times");
        private static final Set<String> MONEY = RuleWords.of("german.money");
        private static final Set<String> TITLES = RuleWords.of("german.titles");

        @Override
        public List<String> ofNumber(ClozeSentence.Value value) {
            String unit = value.after(1).toLowerCase(Locale.ROOT);
            if (value.isClock() && !MONEY.contains(unit) && !value.hasCurrency() || unit.equals("uhr")) {
                return switch (value.text().matches(".* (bis|\u2013|-) .*") ? "" : value.before(1)) {
                    case "bis", "vor" -> List.of("Bis wann");
                    case "ab", "von" -> List.of("Ab wann");
                    default -> List.of("Wann");
                };
            }
            if (value.hasCurrency() || MONEY.contains(unit)) {
                return List.of("Wie viel", "Wie hoch", "Was");
            }
            if (value.before(1).equals("alle")) {
                return List.of("Wie oft");
            }
            // Nouns are written with a capital letter.
            if (!value.isAmount() || !Character.isUpperCase(value.after(1).codePointAt(0))) {
                return List.of("Welche", "Was", "Wie", "Wo");
            }
            return TIMES.contains(unit) ? List.of("Wie viele " + value.after(1), "Wie lange")
                    : List.of("Wie viele " + value.after(1));
        }

        @Override
        public List<String> ofName(ClozeSentence.Value value) {
            return TITLES.contains(value.first()) ? List.of("Wer", "Bei wem") : List.of("Wo", "Wer", "Was", "Wie");
        }
    }
}
