package io.peft4j.trackers;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How a training ended.
 *
 * @param status how
 * @param summary values of the whole training, such as its seconds
 * @param adapter the folder of the saved adapter, if there is one
 */
public record RunEnd(Status status, Map<String, Double> summary, Optional<Path> adapter) {
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
