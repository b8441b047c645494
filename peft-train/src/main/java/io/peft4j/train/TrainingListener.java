package io.peft4j.train;

import io.peft4j.core.Internal;
import io.peft4j.train.objective.SampledAnswer;
import java.nio.file.Path;
import java.util.List;

/**
 * Follows a training while it runs; called from the thread that trains. A listener that throws is named in a warning
 * and the training continues, unless {@link #failureEndsTraining} says otherwise; to stop a training in order, use
 * {@link Cancellation}.
 */
public interface TrainingListener {
    /** Whether an exception of this listener ends the training as a failure; default false. */
    default boolean failureEndsTraining() {
        return false;
    }

    /** Before the first update. */
    default void onStart(TrainingPlan plan) {
    }

    /** After each update. */
    default void onStep(StepMetrics metrics) {
    }

    /**
     * After an update in which the model answered prompts.
     *
     * @param step the number of the update
     * @param answers a few of the answers
     */
    @Internal
    default void onAnswers(long step, List<SampledAnswer> answers) {
    }

    /**
     * After the loss on the validation data was measured.
     *
     * @param step number of updates before it
     * @param epoch epochs before it
     * @param evalLoss mean negative log-likelihood of a supervised token
     */
    default void onEvaluation(long step, double epoch, double evalLoss) {
    }

    /**
     * As {@link #onEvaluation(long, double, double)}, with what the objective measures besides; calls the other where
     * it is not overridden.
     */
    default void onEvaluation(TrainingResult.Evaluation evaluation) {
        onEvaluation(evaluation.step(), evaluation.epoch(), evaluation.loss());
    }

    /**
     * After a checkpoint was written.
     *
     * @param step number of updates before it
     * @param folder the checkpoint
     */
    default void onCheckpoint(long step, Path folder) {
    }

    /**
     * When the training is over and the adapter is saved, also of a training that was cancelled; not after one that
     * failed.
     */
    default void onEnd(TrainingResult result) {
    }

    /**
     * When the training failed after it had begun, or its adapter could not be saved. What is thrown here is added to
     * the failure.
     *
     * @param failure what the caller of the trainer gets
     */
    default void onFailure(Throwable failure) {
    }
}
