package io.peft4j.core.error;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file is not what its format demands: truncated, damaged, hostile, or of a kind that is not supported. The message
 * begins with the file's path.
 */
public final class FileFormatException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final String file;

    /**
     * An exception without a cause.
     *
     * @param file the file at fault
     * @param message what is wrong and what to do, without the path
     */
    public FileFormatException(Path file, String message) {
        this(file, message, null);
    }

    /**
     * An exception with the exception that led to it.
     *
     * @param file the file at fault
     * @param message what is wrong and what to do, without the path
     * @param cause the exception that led to this one, or null for none
     */
    public FileFormatException(Path file, String message, @Nullable Throwable cause) {
        super(Objects.requireNonNull(file, "file") + ": " + message, cause);
        this.file = file.toString();
    }

    /**
     * The file at fault.
     *
     * @return its path as it was given to the reader
     */
    public Path file() {
        return Path.of(file);
    }
}
