package io.peft4j.train.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.DocumentRows;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.DataFaults;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.near.LabelCheck;
import io.peft4j.data.task.RowKind;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.ObjectiveModels;
import io.peft4j.train.objective.ObjectiveType;
import io.peft4j.train.objective.ObjectiveTypes;
import io.peft4j.train.objective.ObjectiveValues;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import io.peft4j.train.sweep.SweepBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Examples of a training, read from files for objectives that are chosen by their names, and what follows from them
 * before and in the training.
 *
 * <pre>{@code
 * TrainingData data = TrainingData.read(List.of(new DataSource("dpo", DataFile.of(Path.of("pairs.jsonl")))),
 *         ObjectiveValues.none(), BaseModel::load);
 * data.train(Trainer.builder(model), model);
 * }</pre>
 */
public final class TrainingData {
    private final List<ObjectiveRows<?>> parts;
    private final List<String> notes;
    private final Function<String, ? extends BaseLanguageModel> loader;

    private TrainingData(List<ObjectiveRows<?>> parts, List<String> notes,
            Function<String, ? extends BaseLanguageModel> loader) {
        this.parts = List.copyOf(parts);
        this.notes = List.copyOf(notes);
        this.loader = loader;
    }

    /**
     * Reads files, each of them once.
     *
     * @param sources what is learned; the first one's examples make up an epoch
     * @param values the options of the objectives
     * @param loader loads other models that an objective needs, such as a teacher, by their references
     * @throws io.peft4j.core.error.PeftException when a row is wrong, a file is for another objective, or objectives
     *     cannot be learned together
     * @throws java.io.UncheckedIOException when a file cannot be read
     */
    public static TrainingData read(List<DataSource> sources, ObjectiveValues values,
            Function<String, ? extends BaseLanguageModel> loader) {
        List<ObjectiveRows<?>> parts = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (DataSource source : sources) {
            List<ObjectiveType<?>> types = sources.size() > 1 ? ObjectiveTypes.together(source.objective())
                    : ObjectiveTypes.named(source.objective());
            if (types.isEmpty()) {
                throw new ConfigurationException("the objective '" + source.objective() + "' cannot be learned beside "
                        + "others; those that can are " + ObjectiveTypes.together().stream().map(ObjectiveType::name)
                                .toList());
            }
            try (OpenRows rows = DocumentRows.open(source.data())) {
                ObjectiveType<?> type = ObjectiveTypes.of(types, rows);
                if (type.rows() == ChatDataset.ROWS) {
                    RowKind.leftOutOfChats(rows).ifPresent(notes::add);
                }
                parts.add(ObjectiveRows.read(type, values, source, rows, notes));
            }
        }
        return new TrainingData(parts, notes, loader);
    }

    /**
     * The same with general examples, so that a training forgets less ({@link ChatDataset#remembering}).
     *
     * @throws ConfigurationException when something else is learned than the next token of conversations alone
     */
    public TrainingData remembering() {
        ChatDataset chats = chats().orElseThrow(() -> new ConfigurationException("general examples are learned beside "
                + "conversations by the objective sft alone, not beside " + this + "; keep the answers of the base "
                + "instead"));
        return new TrainingData(List.of(parts.get(0).with(chats.remembering().examples(), parts.get(0).held())), notes,
                loader);
    }

    /** The same with a base's own answers to the general examples, if any ({@link ChatDataset#answeredBy}). */
    public TrainingData answeredBy(LanguageModel base) {
        return chats().map(chats -> new TrainingData(List.of(parts.get(0).with(chats.answeredBy(base).examples(),
                parts.get(0).held())), notes, loader)).orElse(this);
    }

    /** The examples of the first objective, in the order of the file. */
    public List<?> examples() {
        return parts.get(0).examples();
    }

    /** What is held out of it, none where no such file was given. */
    public List<?> held() {
        return parts.get(0).held();
    }

    /** The first objective alone, with some of its examples, and with none that are held out. */
    public TrainingData with(List<?> examples) {
        return new TrainingData(List.of(parts.get(0).with(examples, List.of())), notes, loader);
    }

    /** What users should know of the files, as sentences. */
    public List<String> notes() {
        return notes;
    }

    /**
     * What a base model is to be loaded for, if not for its own task.
     *
     * @param own its own task
     * @throws ConfigurationException when the examples give nothing to learn
     */
    public Optional<Task> task(Supplier<Task> own) {
        return parts.size() > 1 ? Optional.empty() : parts.get(0).task(own);
    }

    /** The conversations, where the next token of these alone is learned. */
    public Optional<ChatDataset> chats() {
        return parts.size() == 1 && parts.get(0).type() instanceof ChatObjective.Type
                ? Optional.of(chats(parts.get(0).examples())) : Optional.empty();
    }

    private static ChatDataset chats(List<?> examples) {
        return ChatDataset.of(examples.stream().map(ChatExample.class::cast).toList());
    }

    /**
     * Trains on the examples.
     *
     * @param trainer collects what else the training needs
     * @param model the model of the trainer
     */
    public TrainingResult train(TrainerBuilder trainer, PeftModel model) {
        try (ObjectiveModels models = new ObjectiveModels(model, loader)) {
            if (parts.size() == 1) {
                return parts.get(0).train(trainer, models);
            }
            return trainer.build().train(mixed(models));
        }
    }

    /** What a training would take. */
    public TrainingEstimate estimate(TrainerBuilder trainer, PeftModel model) {
        try (ObjectiveModels models = new ObjectiveModels(model, loader)) {
            if (parts.size() == 1) {
                return parts.get(0).estimate(trainer, models);
            }
            MixedObjective mixed = mixed(models);
            return trainer.build().estimate(mixed, mixed.examples(), mixed.held());
        }
    }

    private MixedObjective mixed(ObjectiveModels models) {
        return new MixedObjective(parts.stream().<MixedObjective.Part<?>>map(part -> part.part(models)).toList());
    }

    /** Gives a sweep its examples. */
    public void sweep(SweepBuilder sweep) {
        if (chats().isEmpty()) {
            sweep.training(this::train);
            return;
        }
        sweep.data(chats().get());
        if (!parts.get(0).held().isEmpty()) {
            sweep.validation(chats(parts.get(0).held()));
        }
    }

    /** The rules of hyperparameters for these examples on a base; of several objectives for the first. */
    public HyperparameterRules rules(LanguageModel base) {
        return parts.get(0).rules(base);
    }

    /**
     * Some of the examples, for adapters whose first values are computed from data.
     *
     * @param base the base model
     * @param batchSize examples a batch
     * @param mostBatches the most batches
     * @throws ConfigurationException when the first objective learns no conversations
     */
    public CalibrationBatches calibration(LanguageModel base, int batchSize, int mostBatches) {
        if (parts.get(0).type().rows() != ChatDataset.ROWS) {
            throw new ConfigurationException("first values that are computed from data need conversations, as the "
                    + "objective " + ObjectiveTypes.learning(ChatDataset.ROWS) + " learns them");
        }
        return Trainer.calibration(base, chats(parts.get(0).examples()), batchSize, mostBatches);
    }

    @Override
    public String toString() {
        return parts.stream().map(part -> part.examples().size() + " examples for " + part.type().name()).toList()
                .toString();
    }

    private record ObjectiveRows<E>(ObjectiveType<E> type, ObjectiveValues values, double weight, List<E> examples,
            List<E> held, LabelCheck labels, List<Path> files) {
        /** @param notes takes what may be wrong with labels */
        static <E> ObjectiveRows<E> read(ObjectiveType<E> type, ObjectiveValues values, DataSource source,
                OpenRows rows,
                List<String> notes) {
            LabelCheck labels = new LabelCheck();
            List<Path> files = new ArrayList<>(List.of(source.data().path()));
            List<E> examples = new ArrayList<>();
            List<E> held = new ArrayList<>();
            DataFaults faults = new DataFaults();
            faults.collect(() -> examples.addAll(type.rows().read(labels.taking(0, type.rows(), rows))));
            source.validation().ifPresent(file -> {
                files.add(file.path());
                try (OpenRows open = OpenRows.open(file)) {
                    faults.collect(() -> held.addAll(type.rows().read(labels.taking(1, type.rows(), open))));
                }
            });
            faults.collect(() -> notes.addAll(labels.refuse(files)));
            faults.throwAny();
            if (type.rows() == RowKind.TEXTS && labels.classes().filter(count -> count == 0).isPresent()) {
                throw new ConfigurationException(
                        files.get(0) + " holds conversations whose answers are no labels: only few "
                                + "and short answers that come again and again can be learned as classes; learn "
                                + "them as "
                                + "conversations");
            }
            labels.ofClasses().filter(found -> type instanceof ChatObjective.Type)
                    .ifPresent(found -> notes.add(files.get(0)
                            + " " + found
                            + ": the objective classification learns them as classes, and the same rows can be used "
                            + "for it"));
            return new ObjectiveRows<>(type, values, source.weight(), examples, held, labels, files);
        }

        /** The same for other examples of the kind. */
        @SuppressWarnings("unchecked")
        ObjectiveRows<E> with(List<?> others, List<?> otherHeld) {
            return new ObjectiveRows<>(type, values, weight, (List<E>) others, (List<E>) otherHeld, labels, files);
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
        private Task learnable(Task task) {
            if (task.problem() == Task.Problem.SINGLE_LABEL && task.labels().size() == 1) {
                throw new ConfigurationException("all examples have the label '" + task.labels().get(0)
                        + "'; a classifier needs examples of at least two");
            }
            // Other numbers than those that are trained on may be labels, too.
            if (!held.isEmpty() && task.problem() != Task.Problem.REGRESSION && !isNumbered(task)) {
                labels.refuseUnknown(files);
            }
            return task;
        }

        private static boolean isNumbered(Task task) {
            return task.labels().equals(Task.unnamedLabels(task.labels().size()));
        }

        private static boolean knows(Task own, Task wanted) {
            boolean numbered = isNumbered(wanted);
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
}
