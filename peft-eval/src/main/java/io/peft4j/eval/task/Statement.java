package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What a text says, as far as it can be compared: the {@link Value}s and words of its clauses, and what it denies.
 *
 * @param plain the text in lower case, without accents, numbers in digits
 * @param values its values in their order
 * @param clauses its clauses, as far as they hold a word or a value
 * @param stances which of the limits and opposites of {@code words.json} it holds, two opposites side by side
 */
@Internal
public record Statement(String plain, List<Value> values, List<Clause> clauses, List<Boolean> stances) {
    private static final Pattern WORD = Pattern.compile(
            "\\p{L}{2,}|(?<=\\p{L} )[a-z](?!['\\p{L}])|(?<= )[ye](?= )|[\ue000-\uf8ff,;!?\\n]|(?<!\\b\\p{L}{1,3})\\.");
    /** "Building A" is not "building a"; but an initial is none: "by A. Voss". */
    private static final Pattern LETTER = Pattern
            .compile("(?<=\\p{Ll} )(?!(?<=\\b(?i:" + Lexicon.list("before_initials")
                    .get(0) + ") )\\p{Lu}\\. ?\\p{Lu})[A-HJ-Z](?=[\\s,;:.!?)]|$)|^\\p{Lu}(?=\\W*$)");
    private static final char FIRST_VALUE = '\ue000';
    private static final Set<String> STOP = Lexicon.words("stop");
    private static final Set<String> LINKS = Lexicon.words("links");
    private static final Set<String> JOINS = Lexicon.words("joins");
    private static final Pattern ARTICLE = Lexicon.expression("articles");
    private static final Pattern JOINT = Pattern.compile("(?s)^.*(?:[,;]| (?:" + String.join("|", JOINS) + ") )");
    private static final Set<String> PLACES = Lexicon.words("places");
    private static final Set<String> CHOICES = Lexicon.words("choices");
    private static final String DENIALS = Lexicon.list("denies").get(0);
    private static final Pattern DENIES = Lexicon.pattern("\\b(" + DENIALS + ")\\b");
    private static final List<Pattern> OPPOSITES = Lexicon.list("opposites").stream().map(each -> Lexicon.pattern(
            "\\b(" + each.replace("DENIES", DENIALS) + ")\\b")).toList();
    private static final Pattern BORDERS = Lexicon.expression("borders");
    private static final Pattern IS = Lexicon.expression("is");
    private static final Pattern PRESENT = Lexicon.expression("present");
    private static final List<Pattern> PAST = Lexicon.list("past").stream().map(Lexicon::pattern).toList();
    private static final List<Move> MOVES = StreamSupport.stream(Lexicon.TABLE.get("moves").spliterator(), false).map(
            each -> new Move(moving(each.get(0).asText()), moving(each.get(1).asText()))).toList();
    private static final int FEW = 2;
    private static final int SHORT = 4;
    private static final int NEAR = 60;

    /**
     * A part of a text between commas, "and" and ends of sentences.
     *
     * @param values its values
     * @param words its words in their order
     */
    public record Clause(List<Value> values, List<String> words) {
        /** How many words stand in it, in any of their forms. */
        long count(List<String> some) {
            return some.stream().filter(word -> words.stream().anyMatch(each -> isForm(each, word))).count();
        }

        private List<String> without(Clause other) {
            return words.stream().filter(word -> isTelling(word) && other.count(List.of(word)) == 0).toList();
        }

        /** Whether both share a word with a meaning or say different things behind one word: {@code on weekdays}. */
        private boolean isParallelTo(Clause other) {
            return words.stream().anyMatch(word -> isTelling(word) ? other.words.contains(word)
                    : leads(word, without(other)) && other.leads(word, other.without(this)));
        }

        private boolean leads(String word, List<String> own) {
            return IntStream.range(0, words.size()).anyMatch(i -> words.get(i).equals(word) && (own.contains(at(i + 1))
                    || !isTelling(at(i + 1)) && own.contains(at(i + 2))));
        }

        private boolean rivals(Clause other) {
            return values.stream().anyMatch(mine -> other.values.stream().anyMatch(its -> mine.kind().equals(its.kind())
                    && !mine.equalsInValue(its)));
        }

        private String at(int place) {
            return place < 0 || place >= words.size() ? "" : words.get(place);
        }
    }

    /**
     * What moves a name or a place to another one: {@code the deputy of Brandt}, {@code next to building C}.
     *
     * @param pattern finds it with the name; its group is the word that moves it
     * @param unless what else a text holds that is about such a place, too
     */
    private record Move(Pattern pattern, Pattern unless) {
        String without(String plain, List<Statement> known) {
            return known.stream().anyMatch(each -> unless.matcher(each.plain).find()) ? plain
                    : pattern.matcher(plain).replaceAll(found -> known.stream().anyMatch(each -> each.plain.contains(
                            found.group(1))) ? Matcher.quoteReplacement(found.group()) : ";");
        }
    }

    private static Pattern moving(String expression) {
        return Lexicon.pattern(expression.replace("RELATIVE", Lexicon.list("relative").get(0)).replace("NAME", Lexicon
                .list("name").get(0)).replace("TOKEN", Lexicon.list("token").get(0)));
    }

    /** Reads a text. */
    public static Statement of(String text) {
        return read(Lexicon.plain(LETTER.matcher(text).replaceAll("$0$0")));
    }

    private static Statement read(String plain) {
        List<Value> values = Value.in(plain);
        StringBuilder rest = new StringBuilder(plain);
        for (int i = 0; i < values.size(); i++) {
            int length = values.get(i).end() - values.get(i).start();
            rest.replace(values.get(i).start(), values.get(i).end(), (char) (FIRST_VALUE + i) + " ".repeat(length - 1));
        }
        List<Clause> clauses = new ArrayList<>();
        boolean border = true;
        for (MatchResult found : WORD.matcher(rest).results().toList()) {
            String word = found.group();
            boolean ends = word.charAt(0) < 'a' || JOINS.contains(word);
            if (border && !ends) {
                clauses.add(new Clause(new ArrayList<>(), new ArrayList<>()));
            }
            border = ends;
            if (word.charAt(0) >= FIRST_VALUE && word.length() == 1) {
                Value value = values.get(word.charAt(0) - FIRST_VALUE);
                clauses.get(clauses.size() - 1).values.add(value);
                if (value.isLetter()) {
                    clauses.get(clauses.size() - 1).words.add(plain.substring(value.start(), value.end()));
                }
            } else if (!ends && !LINKS.contains(word)) {
                clauses.get(clauses.size() - 1).words.add(word);
            }
        }
        return new Statement(plain, values, clauses,
                OPPOSITES.stream().map(each -> each.matcher(plain).find()).toList());
    }

    /**
     * The same without what it says of another person or place than the one it names, such as a deputy's, or of the
     * past; as far as the question and the reference do not say such things themselves.
     */
    public Statement about(Statement question, Statement reference) {
        List<Statement> known = List.of(question, reference);
        String told = plain;
        for (Move move : MOVES) {
            told = move.without(told, known);
        }
        Statement now = told.equals(plain) ? this : read(told);
        return known.stream().anyMatch(each -> PAST.stream().anyMatch(past -> past.matcher(each.plain).find())) ? now
                : now.withoutPast(question, reference);
    }

    /** The words after its last "is": what it says of its subject. */
    public Stream<String> predicate() {
        return read(IS.matcher(plain).replaceFirst("")).words().stream().filter(Statement::isTelling);
    }

    private Statement withoutPast(Statement question, Statement reference) {
        boolean contrasts = PRESENT.matcher(plain).find();
        List<String> parts = List.of(BORDERS.split(plain));
        List<String> kept = parts.stream().filter(part -> !isPast(part, contrasts)).toList();
        if (kept.size() == parts.size()) {
            return this;
        }
        String rest = String.join(";", kept);
        Statement bare = read(PRESENT.matcher(rest).replaceAll(""));
        // "Brandt was at Bayer before and now leads the lab": the rest is still about Brandt.
        boolean continues = !reference.hasAmounts() && !bare.words().isEmpty() && bare.wordsWithout(question).isEmpty();
        return continues ? this : read(rest);
    }

    private static boolean isPast(String part, boolean contrasts) {
        return PAST.get(0).matcher(part).find() || contrasts && PAST.get(1).matcher(part).find() && !PRESENT.matcher(
                part).find();
    }

    /** Whether a word in lower case and without accents has a meaning of its own, as a name or a verb does. */
    public static boolean isTelling(String word) {
        return !word.isEmpty() && !STOP.contains(word);
    }

    /** Whether an expression of {@code words.json} is found in it. */
    public boolean matches(String name) {
        return Lexicon.expression(name).matcher(plain).find();
    }

    /** Whether it holds a negation. */
    public boolean denies() {
        return DENIES.matcher(plain).find();
    }

    /** Whether it allows one case only: {@code only with a permit}, {@code not without a permit}. */
    public boolean restricts() {
        return matches("only") || denies() && matches("excepts");
    }

    /** Whether what closely precedes a value denies it: {@code not 90 days}. */
    public boolean denies(Value value) {
        String before = plain.substring(Math.max(0, value.start() - NEAR), value.start()).replaceFirst(
                "(?s)^.*[,;.:!?]", "");
        return DENIES.matcher(before.replaceFirst("^.*?((\\S+ +){0,3})$", "$1")).find();
    }

    /** Whether one says the opposite of the other, as {@code at least} of {@code at most}. */
    public boolean opposes(Statement other) {
        return IntStream.range(0, stances.size()).anyMatch(i -> stances.get(i) && !other.stances.get(i)
                && other.stances.get(i ^ 1) && !stances.get(i ^ 1));
    }

    /** Whether it has values other than letters of buildings. */
    public boolean hasAmounts() {
        return !values.stream().allMatch(Value::isLetter);
    }

    /** Whether it is no whole sentence: {@code Notice period?}. */
    public boolean isTerse() {
        return words().size() <= FEW;
    }

    /** Whether it holds a value. */
    public boolean holds(Value value) {
        return values.stream().anyMatch(value::equalsInValue);
    }

    /** All words in their order. */
    public List<String> words() {
        return clauses.stream().flatMap(clause -> clause.words.stream()).toList();
    }

    /**
     * Whether a value belongs to another thing than the one that a question asks about: the port of the API where the
     * console's is asked for.
     */
    public boolean isBeside(Value value, Statement question) {
        int at = values.indexOf(value);
        boolean named = ARTICLE.matcher(JOINT.matcher(plain.substring(at == 0 ? 0 : values.get(at - 1).end(), value
                .start())).replaceFirst("")).find();
        return clauses.stream().filter(mine -> mine.values.contains(value)).anyMatch(mine -> clauses.stream().anyMatch(
                other -> mine.rivals(other) && isSetApart(mine.without(other), other.without(mine), question)
                        && (named || mine.isParallelTo(other))));
    }

    private static boolean isSetApart(List<String> own, List<String> others, Statement question) {
        Predicate<String> asked = word -> question.holds(word) || question.plain.contains(" " + word + " ");
        return others.stream().anyMatch(asked) && (own.stream().noneMatch(asked)
                || others.stream().allMatch(asked) && !own.stream().allMatch(asked));
    }

    /** The words of each clause that mean something and that another text does not hold. */
    public List<List<String>> wordsWithout(Statement other) {
        return clauses.stream().map(clause -> clause.words.stream().filter(word -> isTelling(word) && !other.holds(
                word)).toList()).filter(words -> !words.isEmpty()).toList();
    }

    /** The share of words that stand in it, from 0 to 1; 0 of none. */
    public double share(Stream<String> some) {
        return some.mapToInt(word -> holds(word) ? 1 : 0).average().orElse(0);
    }

    private boolean holds(String word) {
        return clauses.stream().anyMatch(clause -> clause.count(List.of(word)) > 0);
    }

    private boolean isForeign(String word, Statement question) {
        return isTelling(word) && !holds(word) && !question.holds(word);
    }

    /** Whether values stand beside each other's words in an answer: the 30 EUR of Berlin beside Munich. */
    public boolean isMixedUpIn(Statement answer) {
        return clauses.stream().anyMatch(mine -> clauses.stream().filter(mine::rivals).anyMatch(other -> answer.clauses
                .stream().anyMatch(said -> mine.values.stream().anyMatch(value -> said.values.stream().anyMatch(
                        value::equalsInValue)) && said.count(other.words) > said.count(mine.words))));
    }

    /** Whether an answer says a value beside more words of its clause than of any other with a value of its kind. */
    public boolean isPlacedIn(Statement answer, Value value) {
        return clauses.stream().filter(mine -> mine.values.contains(value)).allMatch(mine -> {
            List<Clause> rivals = clauses.stream().filter(mine::rivals).toList();
            return answer.clauses.stream().filter(said -> said.values.stream().anyMatch(value::equalsInValue)).anyMatch(
                    said -> rivals.stream().allMatch(other -> said.count(mine.without(other)) > said.count(other
                            .without(mine))));
        });
    }

    /**
     * Whether an answer has another word beside or in place of one of its own: {@code help desk} for
     * {@code reception desk}, {@code in Vienna} for {@code in Munich}, {@code red or green} for {@code red}.
     */
    public boolean isReplacedIn(Statement answer, Statement question) {
        boolean chooses = words().stream().anyMatch(CHOICES::contains);
        return answer.clauses.stream().anyMatch(said -> IntStream.range(0, said.words.size()).anyMatch(i -> !chooses
                && CHOICES.contains(said.at(i))
                && isForeign(said.at(i - 1), question) != isForeign(said.at(i + 1), question)
                || clauses.stream().anyMatch(mine -> IntStream.range(0, mine.words.size()).anyMatch(
                        j -> isForm(said.at(i), mine.at(j)) && (isOther(said, i, mine, j, 1, answer, question)
                                || isOther(said, i, mine, j, -1, answer, question))))));
    }

    /** Whether the word beside a word that both clauses hold is missing in an answer, and another one in its place. */
    private boolean isOther(Clause said, int i, Clause mine, int j, int step, Statement answer, Statement question) {
        String word = mine.at(j + step);
        return (!STOP.contains(mine.at(j)) || step > 0 && PLACES.contains(mine.at(j))) && isTelling(word)
                && !answer.holds(word) && !question.holds(word)
                && isForeign(said.at(i + step), question)
                // "Lunch?": "lunch costs" and "lunch comes to" lead to the same value.
                && !(hasAmounts() && question.isTerse() && question.holds(mine.at(j)));
    }

    /** Whether two words are forms of one, as {@code approval} and {@code approved} or a part and its compound. */
    private static boolean isForm(String word, String other) {
        int shorter = Math.min(word.length(), other.length());
        int longer = Math.max(word.length(), other.length());
        int common = (int) IntStream.range(0, shorter).takeWhile(i -> word.charAt(i) == other.charAt(i)).count();
        return longer > 0 && word.equals(other) || common >= SHORT && shorter - common <= 3 && longer - common <= 6
                && common * 5 >= shorter * 3 || common == shorter && common >= 3 && longer - common <= 2
                || shorter > SHORT + 1 && (word.contains(other) || other.contains(word));
    }
}
