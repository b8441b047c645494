package io.peft4j.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far something has come: a bar where stderr is a terminal, else a line every ten seconds. */
abstract class TerminalProgress implements AutoCloseable {
    private static final long QUIET_NANOS = Duration.ofSeconds(10).toNanos();

    /**
     * Progress from a beginning to a maximum.
     *
     * @param task the task in progress
     * @param start what was done before
     * @param max the end
     */
    static TerminalProgress of(Console console, String task, long start, long max) {
        return console.isTerminal() ? new Bar(task, start, max) : new Lines(console, task, start, max);
    }

    /** Now at {@code done}; {@code message} says more. */
    abstract void to(long done, String message);

    /** The end is from now on between these. */
    abstract void endsBetween(long fewest, long most);

    @Override
    public abstract void close();

    /** A bar that is drawn again and again. */
    private static final class Bar extends TerminalProgress {
        private final ProgressBar bar;

        Bar(String task, long start, long max) {
            bar = new ProgressBarBuilder().setTaskName(task).setInitialMax(max).setStyle(ProgressBarStyle.ASCII)
                    .setConsumer(new ConsoleProgressBarConsumer(new PrintStream(System.err, true), Console.columns()))
                    .setUpdateIntervalMillis(500).startsFrom(start, Duration.ZERO).build();
        }

        @Override
        void endsBetween(long fewest, long most) {
            bar.maxHint(most);
        }

        @Override
        void to(long done, String message) {
            bar.stepTo(done);
            bar.setExtraMessage(" " + message);
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /** Lines for a log. */
    private static final class Lines extends TerminalProgress {
        private final Console console;
        private final String task;
        private final long start;
        private long least;
        private long max;
        private final long begin = System.nanoTime();
        private long last = begin;

        Lines(Console console, String task, long start, long max) {
            this.console = console;
            this.task = task;
            this.start = start;
            this.least = max;
            this.max = max;
        }

        @Override
        void endsBetween(long fewest, long most) {
            least = fewest;
            max = most;
        }

        @Override
        void to(long done, String message) {
            long now = System.nanoTime();
            if (now - last >= QUIET_NANOS || done == max && last != begin) {
                last = now;
                double each = (now - begin) / 1e9 / Math.max(1, done - start);
                String open = least < max ? time(each * Math.max(0, least - done)) + " to " : "";
                console.say("%s %d/%s%d%s%s", task, done, least < max ? least + "-" : "", max,
                        message.isEmpty() ? "" : ", " + message,
                        done == start || done == max ? "" : ", " + open + time(each * (max - done)) + " left");
            }
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** Seconds as {@code 5 s} or {@code 3 min 10 s}. */
    static String time(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60 ? whole + " s" : String.format(Locale.ROOT, "%d min %d s", whole / 60, whole % 60);
    }
}
