package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Questions that a model must go on answering, for an application's own tests. It throws what JUnit and its like report
 * as a failed assertion, and needs none of them:
 *
 * <pre>{@code
 * @Test
 * void theAdapterStillKnowsTheHandbook() {
 *     GoldenQuestions.read(Path.of("golden.jsonl")).assertAnsweredBy(model);
 * }
 * }</pre>
 */
public final class GoldenQuestions {
    private static final int MOST_SHOWN = 10;

    private final List<EvaluationItem> items;

    private GoldenQuestions(List<EvaluationItem> items) {
        this.items = EvaluationItem.together(items);
        if (items.isEmpty()) {
            throw new IllegalArgumentException("no golden questions given");
        }
    }

    /** These questions. */
    public static GoldenQuestions of(List<EvaluationItem> items) {
        return new GoldenQuestions(items);
    }

    /**
     * The questions of a file, see {@link io.peft4j.eval.task.EvaluationData}.
     *
     * @throws io.peft4j.core.error.DataException when a row is wrong
     */
    public static GoldenQuestions read(Path file) {
        return new GoldenQuestions(io.peft4j.eval.task.EvaluationData.read(file));
    }

    /**
     * Fails unless a model answers all questions right.
     *
     * @throws AssertionError naming the questions, what was expected and what came
     */
    public void assertAnsweredBy(LanguageModel model) {
        assertAnsweredBy(Answerer.of(model), 1);
    }

    /**
     * Fails unless a model answers enough questions right.
     *
     * @param answerer the model with its options of generation
     * @param share the share of right answers that is enough, from 0 to 1
     * @throws AssertionError naming the questions, what was expected and what came
     */
    @Internal
    public void assertAnsweredBy(Answerer answerer, double share) {
        List<String> answers = answerer.answers(items);
        List<Integer> wrong = IntStream.range(0, items.size())
                .filter(i -> !items.get(i).isAnsweredBy(answers.get(i))).boxed().toList();
        int right = items.size() - wrong.size();
        if (right < share * items.size()) {
            StringBuilder text = new StringBuilder(right + " of " + items.size() + " golden questions are answered "
                    + "right; " + share + " of them must be. Wrong are:");
            wrong.stream().limit(MOST_SHOWN).forEach(i -> text.append("\n  ").append(items.get(i).question())
                    .append("\n    expected: ").append(items.get(i).expected())
                    .append("\n    answered: ").append(answers.get(i)));
            throw new AssertionError(text.toString());
        }
    }

    @Override
    public String toString() {
        return items.size() + " golden questions";
    }
}
