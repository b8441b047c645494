package io.peft4j.train;

/** Follows a training while it runs; called from the thread that trains. */
public interface TrainingListener {
    /** Before the first update. */
    default void onStart(TrainingPlan plan) {
    }

    /** After each update. */
    default void onStep(StepMetrics metrics) {
    }

    /** After the loss on the validation data was measured. */
    default void onEvaluation(long step, double epoch, double evalLoss) {
    }

    /** After the last update, also of a training that was cancelled; not after one that failed. */
    default void onEnd(TrainingResult result) {
    }
}
