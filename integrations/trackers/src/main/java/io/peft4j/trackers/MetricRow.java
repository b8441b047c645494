package io.peft4j.trackers;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Values that were measured at one time, named as in {@code metrics.jsonl}.
 *
 * @param step number of updates before or with them
 * @param time when they were measured
 * @param values {@code train_loss}, {@code learning_rate}, {@code eval_loss} and so on
 */
public record MetricRow(long step, Instant time, Map<String, Double> values) {
    /** Copies the values in their order. */
    public MetricRow {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** The time in seconds since 1970. */
    double seconds() {
        return time.getEpochSecond() + time.getNano() / 1e9;
    }
}
