package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.data.task.RowKind;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** An objective for a task that a base model is loaded for, without options. */
abstract class HeadType<E> extends ObjectiveType<E> {
    private final Function<List<E>, Task> task;
    private final Function<LanguageModel, Objective<E>> objective;

    HeadType(String name, RowKind<E> rows, String about, Function<List<E>, Task> task,
            Function<LanguageModel, Objective<E>> objective, ObjectiveOption<?>... options) {
        super(name, rows, about, options);
        this.task = task;
        this.objective = objective;
    }

    @Override
    public final Optional<Function<List<E>, Task>> task() {
        return Optional.of(task);
    }

    @Override
    protected Function<LanguageModel, Objective<E>> objective(ObjectiveValues values) {
        return objective;
    }
}
