package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.Masking;
import io.peft4j.data.format.DataFile;
import io.peft4j.models.BaseModel;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import io.peft4j.train.sweep.SweepBuilder;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The examples of a training, for what they are learned, and what the base is loaded for. */
interface TrainingData {
    /** What the base is to be loaded for, where not for what it is by itself. */
    Optional<Task> task(ModelSource source);

    /** Trains on the examples. */
    TrainingResult train(TrainerBuilder trainer, PeftModel model);

    /** Gives a sweep its examples. */
    default void sweep(SweepBuilder sweep) {
        sweep.training(this::train);
    }

    /** What a training would take. */
    TrainingEstimate estimate(TrainerBuilder trainer, PeftModel model);

    /**
     * Uses the examples as one of several objectives.
     *
     * @param model what is trained
     * @param weight what the loss counts
     */
    <T> T part(PeftModel model, double weight, Function<MixedObjective.Part<?>, T> use);

    /** The rules of hyperparameters for these examples on a base. */
    HyperparameterRules rules(BaseModel base);

    /** Some of the examples, for adapters whose first values are computed from data. */
    CalibrationBatches calibration(BaseModel base, int batchSize, int mostBatches);

    /** Conversations, of which the supervised tokens are predicted. */
    record Chats(ChatDataset examples, Optional<ChatDataset> held, Masking masking) implements TrainingData {
        static TrainingData read(DataFile data, Optional<DataFile> validation, Masking masking) {
            return new Chats(ChatDataset.readToLearn(data), validation.map(ChatDataset::readToLearn), masking);
        }

        @Override
        public Optional<Task> task(ModelSource source) {
            return Optional.empty();
        }

        @Override
        public TrainingResult train(TrainerBuilder trainer, PeftModel model) {
            held.ifPresent(trainer::validation);
            return trainer.build().train(examples);
        }

        @Override
        public <T> T part(PeftModel model, double weight, Function<MixedObjective.Part<?>, T> use) {
            return use.apply(new MixedObjective.Part<>(new ChatObjective(model, masking), weight, examples.examples(),
                    held.map(ChatDataset::examples).orElse(List.of())));
        }

        @Override
        public void sweep(SweepBuilder sweep) {
            sweep.data(examples);
            held.ifPresent(sweep::validation);
        }

        @Override
        public TrainingEstimate estimate(TrainerBuilder trainer, PeftModel model) {
            held.ifPresent(trainer::validation);
            return trainer.build().estimate(examples);
        }

        @Override
        public HyperparameterRules rules(BaseModel base) {
            return Hyperparameters.choosing(DataFacts.of(examples, base), base.network().description());
        }

        @Override
        public CalibrationBatches calibration(BaseModel base, int batchSize, int mostBatches) {
            return Trainer.calibration(base, examples, batchSize, mostBatches);
        }
    }

    /**
     * Examples of another kind.
     *
     * @param wanted what a base that is for something else is loaded for; empty: what it is for by itself
     * @param objective the objective for a model
     */
    record Rows<E>(List<E> examples, List<E> held, Optional<Task> wanted,
            Function<LanguageModel, Objective<E>> objective) implements TrainingData {
        static <E> TrainingData read(DataFile data, Optional<DataFile> validation, Function<DataFile, List<E>> reader,
                Function<List<E>, Optional<Task>> task, Function<LanguageModel, Objective<E>> objective) {
            List<E> examples = reader.apply(data);
            List<E> held = validation.map(reader).orElse(List.of());
            return new Rows<>(examples, held, task.apply(examples), objective);
        }

        /** A base that knows all labels keeps its own. */
        @Override
        public Optional<Task> task(ModelSource source) {
            return wanted.filter(task -> !knows(BaseModel.taskOf(source), task)).map(Rows::learnable);
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

        @Override
        public TrainingResult train(TrainerBuilder trainer, PeftModel model) {
            return trainer.build().train(objective.apply(model), examples, held);
        }

        @Override
        public TrainingEstimate estimate(TrainerBuilder trainer, PeftModel model) {
            return trainer.build().estimate(objective.apply(model), examples, held);
        }

        @Override
        public <T> T part(PeftModel model, double weight, Function<MixedObjective.Part<?>, T> use) {
            return use.apply(new MixedObjective.Part<>(objective.apply(model), weight, examples, held));
        }

        @Override
        public HyperparameterRules rules(BaseModel base) {
            Objective<E> learned = objective.apply(base);
            return Hyperparameters.choosing(DataFacts.ofEncoded(learned.encode(examples, new DataSetup("training",
                    base.network().description().maxPositions(), 1)).examples()), base.network().description())
                    .objective(learned);
        }

        @Override
        public CalibrationBatches calibration(BaseModel base, int batchSize, int mostBatches) {
            throw new ConfigurationException("first values that are computed from data need --objective sft");
        }
    }
}
