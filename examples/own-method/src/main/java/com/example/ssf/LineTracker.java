package com.example.ssf;

import io.peft4j.trackers.Tracker;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A tracker that writes each row of metrics as a line: {@code --tracker lines[=FILE]}. */
public final class LineTracker implements Tracker {
    private final Optional<Path> file;

    /** Lines in {@code lines.txt} in the folder of the training. */
    public LineTracker() {
        file = Optional.empty();
    }

    /** Lines in this file. */
    public LineTracker(Path file) {
        this.file = Optional.of(file);
    }

    @Override
    public String name() {
        return "lines";
    }

    @Override
    public String form() {
        return "lines[=FILE]";
    }

    @Override
    public Tracker at(String place) {
        return new LineTracker(Path.of(place));
    }

    @Override
    public TrackedRun begin(RunDescription run) throws IOException {
        PrintWriter lines = new PrintWriter(Files.newBufferedWriter(file.orElseGet(() -> run.folder()
                .resolve("lines.txt"))), true);
        return new TrackedRun() {
            @Override
            public void log(List<MetricRow> rows) {
                rows.forEach(row -> lines.println(run.name() + " " + row.step() + " " + row.values()));
            }

            @Override
            public void end(RunEnd end) {
                lines.println(run.name() + " " + end.status());
                lines.close();
            }
        };
    }
}
