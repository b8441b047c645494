package io.peft4j.trackers;

import io.peft4j.core.error.ConfigurationException;

/**
 * A place that keeps the course of trainings. Called from one thread at a time, which is not the one that trains.
 *
 * <p>One that has a constructor without parameters and a line in {@code META-INF/services/io.peft4j.trackers.Tracker}
 * is found by its name, on the command line as {@code --tracker NAME}.
 */
public interface Tracker {
    /** A short name, such as {@code mlflow}. */
    String name();

    /** How it is named together with its place, for help, such as {@code csv[=FILE]}; default: the name alone. */
    default String form() {
        return name();
    }

    /**
     * The same with a place that is named, instead of the usual one.
     *
     * @throws ConfigurationException when it has no choice of places, which is the default, or the place is wrong
     */
    default Tracker at(String place) {
        throw new ConfigurationException("the tracker " + name() + " takes no place, got '" + place + "'");
    }

    /**
     * A training begins. Whatever is thrown, here or by the run, ends the tracking and not the training.
     *
     * @throws Exception when the place cannot be reached or written
     */
    TrackedRun begin(RunDescription run) throws Exception;
}
