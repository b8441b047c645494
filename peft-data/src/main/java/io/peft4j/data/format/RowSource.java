package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.support.DataFiles;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The rows of a file, one after the other, with constant memory. An invalid row does not end the file, where the
 * next one can be told apart.
 */
public interface RowSource extends AutoCloseable {
    /** Opens a file of JSON Lines, whatever its name is. */
    static RowSource jsonLines(Path file) {
        return new JsonLineRows(DataFile.of(file), DataFiles.text(DataFile.of(file)));
    }

    /** What stands on a line of a file of JSON Lines. */
    static DataRow jsonLine(Path file, long line, String text) {
        try {
            return new DataRow(file, line, JsonText.object(file, line, text));
        } catch (DataException e) {
            return DataRow.broken("invalid_json", e);
        }
    }

    /**
     * The next row, or what stands in place of one; empty at the end.
     *
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    Optional<DataRow> next();

    /** How the file is laid out, where it is a CSV or TSV file whose first row has been read. */
    default Optional<TableLayout> layout() {
        return Optional.empty();
    }

    @Override
    void close();
}
