package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The rows of a file, one after the other, with constant memory. An invalid row does not end the file, where the
 * next one can be told apart.
 */
public interface RowSource extends AutoCloseable {
    /** The row on a line of a file of JSON Lines. */
    static DataRow jsonLine(Path file, long line, String text) {
        try {
            return new DataRow(file, line, JsonText.object(file, line, text));
        } catch (DataException e) {
            return DataRow.broken("invalid_json", e);
        }
    }

    /**
     * The next row, or its replacement; empty at the end.
     *
     * @throws IOException when the file cannot be read, or is compressed and damaged; there is no other row then
     */
    Optional<DataRow> next() throws IOException;

    /** The line at which reading continues, for messages. */
    default long line() {
        return 1;
    }

    /** How the file is laid out, where it is a CSV or TSV file whose first row has been read. */
    @Internal
    default Optional<TableLayout> layout() {
        return Optional.empty();
    }

    @Override
    void close() throws IOException;
}
