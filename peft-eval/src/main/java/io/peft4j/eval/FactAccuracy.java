package io.peft4j.eval;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks a model held-out questions and counts the right answers: those that hold the expected facts, or what else is
 * expected ({@link EvaluationItem#isAnsweredBy}).
 *
 * <pre>{@code
 * FactReport report = FactAccuracy.of(model).on(EvaluationData.read(Path.of("heldout.jsonl")));
 * }</pre>
 *
 * <p>Questions are asked in batches of {@link GenerationOptions#batchSize()}. Immutable: each setting gives a new one.
 */
public final class FactAccuracy {
    /** Called after each batch. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} questions have been answered. */
        void onAnswers(int done, int total);
    }

    private final Answerer answerer;

    private FactAccuracy(Answerer answerer) {
        this.answerer = answerer;
    }

    /** Greedy answers of at most 64 tokens, not cached. */
    public static FactAccuracy of(LanguageModel model) {
        return new FactAccuracy(Answerer.of(model));
    }

    /**
     * The same with other options of generation.
     *
     * @throws io.peft4j.core.error.ConfigurationException when they ask for more than one answer to each question
     */
    public FactAccuracy options(GenerationOptions newOptions) {
        return new FactAccuracy(answerer.options(newOptions));
    }

    /**
     * The same with answers kept in a file, see {@link io.peft4j.eval.task.AnswerCache}. Only greedy answers are kept:
     * those that are drawn (temperature above 0) are generated again.
     */
    public FactAccuracy cachedIn(Path file) {
        return new FactAccuracy(answerer.cachedIn(file));
    }

    /** The same with a listener. */
    public FactAccuracy listener(Listener newListener) {
        return new FactAccuracy(answerer.listener(newListener::onAnswers));
    }

    /** How many of the questions the file of {@link #cachedIn} has the answers to. */
    public int known(List<EvaluationItem> questions) {
        return answerer.known(questions);
    }

    /**
     * Asks all questions.
     *
     * @param questions at least one
     * @throws io.peft4j.core.error.PeftException when the model has no chat template, or a question is too long for it
     * @throws java.io.UncheckedIOException when the cache cannot be written
     * @throws IllegalStateException when the listener of the options cancelled the generation
     */
    public FactReport on(List<EvaluationItem> questions) {
        List<String> answers = answerer.answers(questions);
        List<FactReport.Outcome> outcomes = new ArrayList<>();
        List<EvaluationItem> items = EvaluationItem.together(questions);
        for (int i = 0; i < answers.size(); i++) {
            EvaluationItem question = items.get(i);
            outcomes.add(new FactReport.Outcome(question, answers.get(i), question.isAnsweredBy(answers.get(i))));
        }
        return new FactReport(outcomes);
    }
}
