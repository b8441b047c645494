package io.peft4j.data.format;

/**
 * A type of file that a module adds to those that are read here; found by {@link java.util.ServiceLoader}. What its
 * rows mean is for the formats to say, as with any other file.
 */
public interface FileType {
    /** The ending of the file's name, in lower case and with its dot. */
    String ending();

    /**
     * Opens a file, which is no text and has no encoding. Errors in its content are reported by {@link RowSource#next};
     * its columns get their names from there on.
     *
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    RowSource open(DataFile file);
}
