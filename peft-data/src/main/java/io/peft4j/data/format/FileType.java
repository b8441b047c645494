package io.peft4j.data.format;

import java.nio.file.Path;

/**
 * A type of file that a module adds to those that are read here; found by {@link java.util.ServiceLoader}. What its
 * rows mean is for the formats to say, as with any other file.
 */
public interface FileType {
    /** The ending of the file's name, in lower case and with its dot. */
    String ending();

    /**
     * Opens a file. Errors in its content are reported by {@link RowSource#next}.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    RowSource open(Path file);
}
