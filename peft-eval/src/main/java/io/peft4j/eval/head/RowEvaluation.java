package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.comparison.ComparisonOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * How rows for models of one task are evaluated; found by {@link ServiceLoader}.
 *
 * @param <E> a row
 */
interface RowEvaluation<E> {
    /**
     * Who is compared.
     *
     * @param base the base model, where it has a trained head; else a constant answer stands for it
     * @param tuned the tuned model
     * @param options the statistics
     */
    record Compared(Optional<Model> base, Model tuned, ComparisonOptions options) {
    }

    /** The evaluations for models of a task, one for each kind of row. */
    static List<RowEvaluation<?>> of(Model model) {
        return of(model, model.network().task().type());
    }

    /** The evaluations of what a model says as one for a task. */
    static List<RowEvaluation<?>> of(Model model, Task.Type type) {
        List<RowEvaluation<?>> found = new ArrayList<>();
        for (RowEvaluation<?> each : ServiceLoader.load(RowEvaluation.class, RowEvaluation.class.getClassLoader())) {
            if (each.task() == type && each.fits(model.network().task())) {
                found.add(each.asOf(model));
            }
        }
        if (!found.isEmpty()) {
            return found;
        }
        throw new ConfigurationException(model.network().description().name() + " was loaded for " + type
                + " and has no head that can be evaluated on rows; compare its answers");
    }

    /** The same for rows that depend on the model; default: none do. */
    default RowEvaluation<E> asOf(Model model) {
        return this;
    }

    Task.Type task();

    /** Whether models for a task of this type are evaluated so; default: all are. */
    default boolean fits(Task ofModel) {
        return true;
    }

    RowKind<E> kind();

    /** What a row is. */
    Class<E> row();

    /**
     * Rows that the model was made with, as its own files say.
     *
     * @param trained the number of those that it was trained on
     * @param calibrated the number of those that its probabilities were fitted to
     */
    record Seen(int trained, int calibrated) {
    }

    /** How many of the rows the model was made with; default: it does not say. */
    default Seen seen(Model tuned, List<E> rows) {
        return new Seen(0, 0);
    }

    /** What of a row is looked for in the training data. */
    String text(E row);

    /**
     * Evaluates.
     *
     * @param rows the held-out rows
     * @param training the rows that were trained on, none where they are not known
     * @throws ConfigurationException when a row does not go with the model; says which
     */
    Findings evaluate(Compared models, List<E> rows, List<E> training);
}
