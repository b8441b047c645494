package io.peft4j.eval.task;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What an answer must say where an item names no facts, drawn from its reference: the values (numbers with units,
 * amounts, times, dates, codes) that the question does not state itself, whether it denies, and, where there are no
 * values or the question asks who, where, which or how, the words that the question does not hold. Values are equal
 * however they are written; an answer with another value of the same kind beside the right one is wrong, and so is one
 * that fits another reference of the data set as well as its own, or one that hedges. A value of another thing than the
 * question asks about may be left out. Others ({@code Brandt's deputy}, {@code next to building C}) and the past do not
 * count.
 *
 * @param question what is asked
 * @param references right answers of which one must be met
 * @param statements what these say
 * @param others other references of the data set that say something else in a similar form
 */
record DrawnFacts(Statement question, List<String> references, List<Statement> statements, List<Statement> others)
        implements
            FactCheck {
    private static final int MOST_WORDS = 60;
    private static final int MOST_OTHERS = 500;
    private static final double ALIKE = 0.3;
    private static final double HALF = 0.5;
    private static final Statement NOTHING = Statement.of("");
    private static final Pattern CODE = Pattern.compile("[{}<>`\\\\]|;\\s*$|\\(\\)");

    /** The facts of references; empty where they are long, are code or hold nothing to be compared. */
    static Optional<DrawnFacts> of(String question, List<String> references) {
        if (references.isEmpty() || references.stream().anyMatch(text -> text.split("\\s+").length > MOST_WORDS
                || CODE.matcher(text).find())) {
            return Optional.empty();
        }
        List<Statement> statements = references.stream().map(Statement::of).toList();
        return Optional.of(new DrawnFacts(Statement.of(question), List.copyOf(references), statements, List.of()))
                .filter(facts -> facts.question.matches("asks_yes_no") || statements.stream()
                        .allMatch(mine -> !mine.values().isEmpty() || !mine.wordsWithout(NOTHING).isEmpty()));
    }

    /** The same where an answer must not fit one of these references as well. */
    DrawnFacts among(List<Statement> all) {
        return new DrawnFacts(question, references, statements,
                all.stream().limit(MOST_OTHERS).filter(other -> statements
                        .stream().allMatch(mine -> isSimilar(mine.words(), other.words()) && !meets(mine, other)))
                        .toList());
    }

    private static boolean isSimilar(List<String> words, List<String> others) {
        return words.stream().filter(others::contains).count() >= ALIKE * Math.max(words.size(), others.size());
    }

    @Override
    public boolean accepts(String answer) {
        Statement said = Statement.of(answer);
        return references.contains(answer.strip()) || statements.stream().anyMatch(mine -> {
            Statement told = said.about(question, mine);
            return meets(mine, told) && keeps(mine, said, told)
                    && others.stream().noneMatch(other -> fits(other, mine, told));
        });
    }

    /** Whether an answer holds most of the reference's words as they are meant: not {@code Brandt's deputy in Rome}. */
    private boolean keeps(Statement mine, Statement said, Statement told) {
        List<String> words = apart(mine, question).toList();
        return said == told || mine.hasAmounts() || words.isEmpty()
                || 2 * told.share(words.stream()) > said.share(words.stream());
    }

    private boolean meets(Statement reference, Statement said) {
        List<Value> sought = reference.values().stream().filter(value -> !value.isLetter() && !question
                .holds(value)).toList();
        List<Value> amounts = sought.stream().filter(value -> !value.kind().equals(Value.PER)).toList();
        List<Value> all = amounts.isEmpty() ? sought : amounts;
        List<Value> asked = all.stream().filter(value -> !reference.isBeside(value, question)).toList();
        List<Value> required = all.stream().anyMatch(value -> !asked.contains(value) && said.holds(value)) ? all
                : asked;
        boolean contradicted = said.values().stream().anyMatch(value -> reference.holds(value)
                ? said.denies(value) && !reference.denies()
                : !question.holds(value) && !said.denies(value)
                        && reference.values().stream().anyMatch(mine -> mine.kind()
                                .equals(value.kind())
                                || amounts.isEmpty() && !sought.isEmpty() && value.kind().equals(Value.NUMBER)));
        boolean yesNo = question.matches("asks_yes_no");
        boolean agrees = reference.denies() == said.denies();
        boolean byValues = yesNo && agrees
                || !required.isEmpty() && !question.matches("asks_words");
        boolean byPredicate = required.isEmpty() && question.isTerse() && said.share(reference
                .predicate()) == 1;
        List<List<String>> clauses = reference.wordsWithout(question);
        boolean hedges = said.matches("hedges") && !reference.matches("hedges") && !question.matches("hedges");
        return !contradicted && !hedges && required.stream().allMatch(said::holds)
                && keepsOrder(reference, required, said)
                && !reference.opposes(said) && !reference.isReplacedIn(said, question)
                && !reference.isMixedUpIn(said)
                && (!yesNo || !required.isEmpty() || reference.denies() || said.matches("affirms")
                        || said.share(Stream.concat(apart(reference, NOTHING), apart(question, NOTHING))) > 0)
                && (agrees || !yesNo && !required.isEmpty() || reference.restricts() && said.restricts())
                && (byValues || byPredicate
                        || (required.isEmpty() && clauses.isEmpty() ? reference.wordsWithout(NOTHING) : clauses)
                                .stream()
                                .allMatch(
                                        clause -> said.share(clause.stream()) >= (required.isEmpty() ? HALF : ALIKE)));
    }

    /**
     * Whether values of one kind come in the order of the reference or beside the words that belong to them: "from 6 to
     * 14" is not "from 14 to 6".
     */
    private static boolean keepsOrder(Statement reference, List<Value> required, Statement said) {
        return required.stream().allMatch(later -> required.stream().filter(former -> former.start() < later.start()
                && former.kind().equals(later.kind())).allMatch(former -> isInOrder(said, former, later)
                        || reference.isPlacedIn(said, former) && reference.isPlacedIn(said, later)));
    }

    private static boolean isInOrder(Statement said, Value former, Value later) {
        return places(said, former).min().orElse(0) <= places(said, later).max().orElse(0);
    }

    private static IntStream places(Statement said, Value sought) {
        return IntStream.range(0, said.values().size()).filter(i -> said.values().get(i).equalsInValue(sought));
    }

    /**
     * Whether what sets another reference apart is in an answer at least as much as what sets apart its own, or
     * nothing does.
     */
    private boolean fits(Statement other, Statement mine, Statement said) {
        double its = said.share(apart(other, mine).filter(word -> !question.words().contains(word)));
        List<String> sought = apart(mine, other).filter(word -> !question.words().contains(word)).toList();
        if (mine.hasAmounts()) {
            return its == 1 && said.share(apart(mine, other)) < 1;
        }
        return its > 0 ? its >= said.share(apart(mine, other))
                : !question.matches("asks_yes_no") && !sought.isEmpty() && said.share(sought.stream()) == 0;
    }

    private static Stream<String> apart(Statement one, Statement other) {
        return one.wordsWithout(other).stream().flatMap(List::stream);
    }

    @Override
    public String toString() {
        return String.join(" / ", references);
    }
}
