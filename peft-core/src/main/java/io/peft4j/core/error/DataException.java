package io.peft4j.core.error;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A data file cannot be used: a row is not valid JSON, a message has no role, an example has no supervised token. The
 * message begins with the place as {@code file:line:column}, as far as it is known.
 */
public final class DataException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long line;
    private final long column;
    private final String problem;

    /**
     * A fault of the file as a whole.
     *
     * @param file the data file
     * @param message what is wrong and what to do, without the place
     */
    public DataException(Path file, String message) {
        this(file, 0, 0, message, null);
    }

    /**
     * A fault of one line.
     *
     * @param file the data file
     * @param line the line, counted from 1
     * @param message what is wrong and what to do, without the place
     */
    public DataException(Path file, long line, String message) {
        this(file, line, 0, message, null);
    }

    /**
     * A fault at one place of one line.
     *
     * @param file the data file
     * @param line the line, counted from 1; 0 where it is not known
     * @param column the column, counted from 1; 0 where it is not known
     * @param message what is wrong and what to do, without the place
     * @param cause the exception that led to this one, or null for none
     */
    public DataException(Path file, long line, long column, String message, @Nullable Throwable cause) {
        super(place(file, line, column) + ": " + message, cause);
        this.file = file.toString();
        this.line = line;
        this.column = column;
        this.problem = message;
    }

    /**
     * The data file.
     *
     * @return its path as it was given to the reader
     */
    public Path file() {
        return Path.of(file);
    }

    /**
     * The line at fault.
     *
     * @return the line, counted from 1; 0 where the fault is the whole file's
     */
    public long line() {
        return line;
    }

    /**
     * The column at fault.
     *
     * @return the column, counted from 1; 0 where it is not known
     */
    public long column() {
        return column;
    }

    /**
     * What is wrong and what to do.
     *
     * @return the message without the place
     */
    public String problem() {
        return problem;
    }

    private static String place(Path file, long line, long column) {
        Objects.requireNonNull(file, "file");
        if (line <= 0) {
            return file.toString();
        }
        return column <= 0 ? file + ":" + line : file + ":" + line + ":" + column;
    }
}
