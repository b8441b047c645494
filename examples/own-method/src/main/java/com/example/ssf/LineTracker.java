package com.example.ssf;

import io.peft4j.trackers.MetricRow;
import io.peft4j.trackers.RunDescription;
import io.peft4j.trackers.RunEnd;
import io.peft4j.trackers.TrackedRun;
import io.peft4j.trackers.Tracker;
import java.util.List;
import java.util.function.Consumer;

/** A tracker that passes each row of metrics on as a line. */
public final class LineTracker implements Tracker {
    private final Consumer<String> lines;

    /** Where the lines go. */
    public LineTracker(Consumer<String> lines) {
        this.lines = lines;
    }

    @Override
    public String name() {
        return "lines";
    }

    @Override
    public TrackedRun begin(RunDescription run) {
        return new TrackedRun() {
            @Override
            public void log(List<MetricRow> rows) {
                rows.forEach(row -> lines.accept(run.name() + " " + row.step() + " " + row.values()));
            }

            @Override
            public void end(RunEnd end) {
                lines.accept(run.name() + " " + end.status());
            }
        };
    }
}
