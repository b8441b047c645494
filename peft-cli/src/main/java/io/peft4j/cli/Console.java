package io.peft4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Locale;

/**
 * Where a command writes: results to {@code out}, all else to {@code err}.
 *
 * @param out results
 * @param err progress and messages
 */
record Console(PrintWriter out, PrintWriter err) {
    private static final String STDERR_IS_TERMINAL = "peft4j.stderr.terminal";
    private static final String STDIN_IS_TERMINAL = "peft4j.stdin.terminal";

    /** Whether stderr is a terminal, on which a line can be drawn again; the launcher knows. */
    boolean isTerminal() {
        return Boolean.getBoolean(STDERR_IS_TERMINAL);
    }

    /** Whether somebody types, as far as is known. */
    static boolean isTypedTo() {
        return Boolean.parseBoolean(System.getProperty(STDIN_IS_TERMINAL, "true"));
    }

    /** A message. */
    void say(String format, Object... arguments) {
        err.println(String.format(Locale.ROOT, format, arguments));
    }

    /**
     * A line of results for machines.
     *
     * @throws UncheckedIOException when the reader has closed the pipe
     */
    void print(JsonNode line) {
        out.println(line);
        checkOut();
    }

    /**
     * Results for people.
     *
     * @throws UncheckedIOException when the reader has closed the pipe
     */
    void print(String text) {
        out.println(text);
        checkOut();
    }

    /** Fails when results cannot be written any more. */
    void checkOut() {
        if (out.checkError()) {
            throw new UncheckedIOException(new IOException("cannot write to the standard output"));
        }
    }
}
