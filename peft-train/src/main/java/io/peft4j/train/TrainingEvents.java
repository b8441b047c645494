package io.peft4j.train;

import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * What a training tells Java Flight Recorder, each with its duration: {@code io.peft4j.TrainingStep}, {@code
 * io.peft4j.TrainingEvaluation} and {@code io.peft4j.TrainingCheckpoint}. They cost nothing without a recording.
 */
final class TrainingEvents {
    private TrainingEvents() {
    }

    /** An update. */
    @Name("io.peft4j.TrainingStep")
    @Label("Training step")
    @Category({"PEFT4J", "Training"})
    @StackTrace(false)
    public static final class Step extends Event {
        @Label("Step")
        private long step;
        @Label("Training loss")
        private double trainLoss;
        @Label("Learning rate")
        private double learningRate;
        @Label("Gradient norm")
        private double gradNorm;
        @Label("Tokens")
        private long tokens;

        /** Ends with the figures of the update. */
        public void commit(StepMetrics metrics) {
            if (shouldCommit()) {
                step = metrics.step();
                trainLoss = metrics.trainLoss();
                learningRate = metrics.learningRate();
                gradNorm = metrics.gradNorm();
                tokens = metrics.tokens();
                commit();
            }
        }
    }

    /** A measurement on the validation data. */
    @Name("io.peft4j.TrainingEvaluation")
    @Label("Training evaluation")
    @Category({"PEFT4J", "Training"})
    @StackTrace(false)
    public static final class Evaluation extends Event {
        @Label("Step")
        private long step;
        @Label("Validation loss")
        private double evalLoss;

        /** Ends with what was measured. */
        public void commit(TrainingResult.Evaluation evaluation) {
            if (shouldCommit()) {
                step = evaluation.step();
                evalLoss = evaluation.loss();
                commit();
            }
        }
    }

    /** A checkpoint. */
    @Name("io.peft4j.TrainingCheckpoint")
    @Label("Training checkpoint")
    @Category({"PEFT4J", "Training"})
    @StackTrace(false)
    public static final class Checkpoint extends Event {
        @Label("Step")
        private long step;
        @Label("Folder")
        private String folder;

        /** Ends with the checkpoint after so many updates. */
        public void commit(long number, Path place) {
            if (shouldCommit()) {
                step = number;
                folder = place.toString();
                commit();
            }
        }
    }
}
