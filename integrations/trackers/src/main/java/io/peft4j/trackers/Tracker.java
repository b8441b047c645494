package io.peft4j.trackers;

import io.peft4j.core.error.ConfigurationException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

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

    /** One training in a tracker. Whatever is thrown ends the tracking and not the training. */
    interface TrackedRun {
        /**
         * Keeps measured values.
         *
         * @param rows in the order in which they were measured; several at once where the tracker is slower than the
         *     training
         */
        void log(List<MetricRow> rows) throws Exception;

        /** The training is over. Nothing is called afterwards. */
        void end(RunEnd end) throws Exception;
    }

    /**
     * Values that were measured at one time, named as in {@code metrics.jsonl}.
     *
     * @param step number of updates before or with them
     * @param time when they were measured
     * @param values {@code train_loss}, {@code learning_rate}, {@code eval_loss} and so on
     */
    record MetricRow(long step, Instant time, Map<String, Double> values) {
        /** Copies the values in their order. */
        public MetricRow {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        }

        /** The time in seconds since 1970. */
        double seconds() {
            return time.getEpochSecond() + time.getNano() / 1e9;
        }
    }

    /**
     * How a training ended.
     *
     * @param status how
     * @param summary values of the whole training, such as its seconds
     * @param adapter the folder of the saved adapter, if there is one
     */
    record RunEnd(Status status, Map<String, Double> summary, Optional<Path> adapter) {
        /** How a training ended. */
        public enum Status {
            /** With its last update. */
            FINISHED,
            /** It was stopped; what was trained is saved. */
            CANCELLED,
            /** By an error. */
            FAILED
        }

        /** Copies the summary. */
        public RunEnd {
            summary = Map.copyOf(summary);
        }
    }

    /**
     * What a training is.
     *
     * @param name a name for people
     * @param settings options, base model, adapter and kernels, by name
     * @param output the folder that the training writes to, where it has one
     * @param doneSteps updates that were done before, where the training is resumed
     */
    record RunDescription(String name, Map<String, String> settings, Optional<Path> output, long doneSteps) {
        /** Copies the settings in their order. */
        public RunDescription {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(output, "output");
            settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        }

        /**
         * The folder that the training writes to, for a tracker without a place of its own.
         *
         * @throws ConfigurationException when it has none
         */
        public Path folder() {
            return output
                    .orElseThrow(() -> new ConfigurationException("the training " + name + " has no output folder; "
                            + "give the tracker a place"));
        }
    }
}
