package io.peft4j.trackers;

import java.util.List;

/** One training in a tracker. Whatever is thrown ends the tracking and not the training. */
public interface TrackedRun {
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
