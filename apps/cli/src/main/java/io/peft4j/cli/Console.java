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
    private static final String STDOUT_IS_TERMINAL = "peft4j.stdout.terminal";
    private static final String STDIN_IS_TERMINAL = "peft4j.stdin.terminal";
    private static final int MOST_COLUMNS = 100;
    private static final int FEWEST_COLUMNS = 24;

    /** How wide lines for people are: as the terminal, and no wider than is read with ease. */
    static int columns() {
        int columns = Integer.getInteger("peft4j.columns", MOST_COLUMNS);
        return columns <= 0 ? MOST_COLUMNS : Math.max(FEWEST_COLUMNS, Math.min(MOST_COLUMNS, columns));
    }

    /** The same for what is printed on stdout, which may be a file. */
    static int outColumns() {
        return Boolean.getBoolean(STDOUT_IS_TERMINAL) ? columns() : MOST_COLUMNS;
    }

    /** Ends a line that was left open on a terminal, as an interrupted answer or bar leaves it. */
    static void endLine() {
        if (Boolean.getBoolean(STDERR_IS_TERMINAL)) {
            System.err.println();
        }
    }

    /** Whether stderr is a terminal, on which a line can be drawn again; the launcher knows. */
    boolean isTerminal() {
        return Boolean.getBoolean(STDERR_IS_TERMINAL);
    }

    /** Whether a person types, as far as is known. */
    static boolean isTypedTo() {
        return Boolean.parseBoolean(System.getProperty(STDIN_IS_TERMINAL, "true"));
    }

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

    /**
     * A report in Markdown, for readers of its source: without the signs that keep a renderer from
     * reading names and intervals as something else.
     *
     * @throws UncheckedIOException when the reader has closed the pipe
     */
    void printMarkdown(String text) {
        out.print(withoutEscapes(text));
        checkOut();
    }

    /** Markdown as it is read in its source, where {@code \[-24, 24\]} is nothing but hard to read. */
    static String withoutEscapes(String markdown) {
        return markdown.replaceAll("\\\\(\\p{Punct})", "$1");
    }

    /** Fails when results cannot be written any more. */
    void checkOut() {
        if (out.checkError()) {
            // Java does not tell which: a PrintWriter keeps no reason.
            String message = "cannot write to the standard output: the program that reads it has ended, or the disk is "
                    + "full";
            throw new UncheckedIOException(message, new IOException(message));
        }
    }
}
