package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.data.task.RowKind;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An objective that is chosen by its name: what its rows are, its options, and how it is made. A public class with a
 * constructor without parameters and a line in {@code META-INF/services/io.peft4j.train.objective.ObjectiveType} is
 * found ({@link ObjectiveTypes}), on the command line as {@code --objective NAME} with its options.
 *
 * <p>Two may have one name where their rows differ: then the rows of a file choose.
 *
 * @param <E> an example
 */
public abstract class ObjectiveType<E> {
    private final String name;
    private final RowKind<E> rows;
    private final String about;
    private final List<ObjectiveOption<?>> options;

    /**
     * A type.
     *
     * @param name such as {@code classification}
     * @param rows what the rows of its data are
     * @param about what is learned of which rows, for help
     * @param options what it uses, of its own and of a training
     */
    protected ObjectiveType(String name, RowKind<E> rows, String about, ObjectiveOption<?>... options) {
        this.name = name;
        this.rows = rows;
        this.about = about;
        this.options = List.of(options);
    }

    /** The name. */
    public final String name() {
        return name;
    }

    /** What the rows of its data are. */
    public final RowKind<E> rows() {
        return rows;
    }

    /** What is learned of which rows. */
    public final String about() {
        return about;
    }

    /** The options that it uses, of its own and of a training. */
    public final List<ObjectiveOption<?>> options() {
        return options;
    }

    /**
     * The task that a base model is loaded for, from the examples; default: none. Objectives without one predict
     * tokens, and can be learned together.
     */
    public Optional<Function<List<E>, Task>> task() {
        return Optional.empty();
    }

    /**
     * Another task than that of {@link #task()}, for a base model whose head can learn the examples in another way;
     * default: none.
     *
     * @param own the base model's own task
     */
    public Optional<Task> task(Task own, List<E> examples) {
        return Optional.empty();
    }

    /**
     * The objective for a model with these options.
     *
     * @throws ConfigurationException at once when an option is out of range or missing
     */
    protected abstract Function<LanguageModel, Objective<E>> objective(ObjectiveValues values);

    /**
     * The objective for the models of a training, with these options. Default: for the one that is trained.
     *
     * @throws ConfigurationException at once when an option is out of range or missing
     */
    public Function<ObjectiveModels, Objective<E>> with(ObjectiveValues values) {
        Function<LanguageModel, Objective<E>> objective = objective(values);
        return models -> objective.apply(models.trained());
    }

    /** An objective that encodes examples in the same way, for what is to be known before there is an adapter. */
    public final Objective<E> planned(LanguageModel base, ObjectiveValues values) {
        return objective(values).apply(base);
    }

    @Override
    public String toString() {
        return name + ": " + rows;
    }
}
