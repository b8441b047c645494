package io.peft4j.cli;

import io.peft4j.core.error.Count;
import java.time.Duration;

/** How many rows have been seen: a line that is drawn again on a terminal, else a line every ten seconds. */
final class DataProgress implements AutoCloseable {
    private static final long LOG_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long DRAW_NANOS = Duration.ofMillis(500).toNanos();

    private final Console console;
    private final long begin = System.nanoTime();
    private long last = begin;
    private boolean drawn;

    DataProgress(Console console) {
        this.console = console;
    }

    /** Now in a stage, after so many rows. */
    void to(String stage, long rows) {
        long now = System.nanoTime();
        if (now - last < (console.isTerminal() ? DRAW_NANOS : LOG_NANOS)) {
            return;
        }
        last = now;
        String line = String.format(java.util.Locale.ROOT, "%s: %s, %s", stage, Count.of(rows, "row"),
                TerminalProgress.time((now - begin) / 1e9));
        if (console.isTerminal()) {
            console.err().print("\r" + line + "   ");
            console.err().flush();
            drawn = true;
        } else {
            console.say("%s", line);
        }
    }

    @Override
    public void close() {
        if (drawn) {
            console.err().println();
        }
    }
}
