package io.peft4j.trackers;

/** A place that keeps the course of trainings. Called from one thread at a time, which is not the one that trains. */
public interface Tracker {
    /** A short name for messages, such as {@code mlflow}. */
    String name();

    /**
     * A training begins. Whatever is thrown, here or by the run, ends the tracking and not the training.
     *
     * @throws Exception when the place cannot be reached or written
     */
    TrackedRun begin(RunDescription run) throws Exception;
}
