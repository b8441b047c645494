package io.peft4j.train.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.near.LabelCheck;
import io.peft4j.data.task.RowKind;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.ObjectiveModels;
import io.peft4j.train.objective.ObjectiveType;
import io.peft4j.train.objective.ObjectiveValues;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The examples of one objective. */
record ObjectiveRows<E>(ObjectiveType<E> type, ObjectiveValues values, double weight, List<E> examples, List<E> held) {
    /** @param notes takes what may be wrong with labels */
    static <E> ObjectiveRows<E> read(ObjectiveType<E> type, ObjectiveValues values, DataSource source, OpenRows rows,
            List<String> notes) {
        LabelCheck labels = new LabelCheck();
        List<Path> files = new ArrayList<>(List.of(source.data().path()));
        List<E> examples = type.rows().read(labels.taking(0, type.rows(), rows));
        List<E> held = source.validation().map(file -> {
            files.add(file.path());
            try (OpenRows open = OpenRows.open(file)) {
                return type.rows().read(labels.taking(1, type.rows(), open));
            }
        }).orElse(List.of());
        if (type.rows() == RowKind.TEXTS && labels.classes().filter(count -> count == 0).isPresent()) {
            throw new ConfigurationException(
                    files.get(0) + " holds conversations whose answers are no labels: only few "
                            + "and short answers that come again and again can be learned as classes; learn them as "
                            + "conversations");
        }
        labels.ofClasses().filter(found -> type instanceof ChatObjective.Type).ifPresent(found -> notes.add(files.get(0)
                + " " + found + ": the objective classification learns them as classes, and the same rows can be used "
                + "for it"));
        notes.addAll(labels.refuse(files));
        return new ObjectiveRows<>(type, values, source.weight(), examples, held);
    }

    /** The same for other examples of the kind. */
    @SuppressWarnings("unchecked")
    ObjectiveRows<E> with(List<?> others, List<?> otherHeld) {
        return new ObjectiveRows<>(type, values, weight, (List<E>) others, (List<E>) otherHeld);
    }

    private Objective<E> objective(ObjectiveModels models) {
        return type.with(values).apply(models);
    }

    TrainingResult train(TrainerBuilder trainer, ObjectiveModels models) {
        return trainer.build().train(objective(models), examples, held);
    }

    TrainingEstimate estimate(TrainerBuilder trainer, ObjectiveModels models) {
        return trainer.build().estimate(objective(models), examples, held);
    }

    MixedObjective.Part<E> part(ObjectiveModels models) {
        return new MixedObjective.Part<>(objective(models), weight, examples, held);
    }

    HyperparameterRules rules(LanguageModel base) {
        Objective<E> learned = type.planned(base, values);
        return Hyperparameters.choosing(DataFacts.ofEncoded(learned.encode(examples, new DataSetup("training",
                base.network().description().maxPositions(), 1)).examples()), base.network().description())
                .objective(learned);
    }

    /** A base that knows all labels keeps its own. */
    Optional<Task> task(Supplier<Task> own) {
        return type.task().flatMap(of -> {
            Task known = own.get();
            Task wanted = of.apply(examples);
            return type.task(known, examples)
                    .or(() -> knows(known, wanted) ? Optional.empty() : Optional.of(learnable(wanted)));
        });
    }

    /** With one class every answer is right, and there is nothing to learn. */
    private static Task learnable(Task task) {
        if (task.problem() == Task.Problem.SINGLE_LABEL && task.labels().size() == 1) {
            throw new ConfigurationException("all examples have the label '" + task.labels().get(0)
                    + "'; a classifier needs examples of at least two");
        }
        return task;
    }

    private static boolean knows(Task own, Task wanted) {
        boolean numbered = wanted.labels().equals(Task.unnamedLabels(wanted.labels().size()));
        if (wanted.type() == Task.Type.DECISION && own.type() == Task.Type.CAUSAL_LM) {
            return true;
        }
        if (own.type() != wanted.type()) {
            return false;
        }
        if (own.problem() == Task.Problem.REGRESSION && wanted.problem() == Task.Problem.SINGLE_LABEL) {
            // Whole numbers, such as stars from 1 to 5, are numbers to a model that gives one.
            return numbered && own.labels().size() == 1;
        }
        // Rows with one label each are a case of those with any number of them.
        boolean fits = own.problem() == wanted.problem()
                || own.problem() == Task.Problem.MULTI_LABEL && wanted.problem() == Task.Problem.SINGLE_LABEL;
        return fits && (own.labels().containsAll(wanted.labels())
                || numbered && own.labels().size() >= wanted.labels().size());
    }
}
