package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The rows of a file of JSON Lines; blank lines are skipped. */
final class JsonLineRows implements RowSource {
    private final Path file;
    private final InputStream in;
    private final Utf8Lines lines;
    private long before;

    JsonLineRows(DataFile file, InputStream in) {
        this.file = file.path();
        this.in = in;
        this.lines = new Utf8Lines(this.file, in);
    }

    @Override
    public Optional<DataRow> next() throws IOException {
        try {
            Optional<String> line = Optional.of("");
            while (line.isPresent() && line.get().isBlank()) {
                before = lines.line();
                line = lines.next();
            }
            return line.map(text -> RowSource.jsonLine(file, lines.line(), text));
        } catch (DataException e) {
            return Optional.of(DataRow.broken("wrong_encoding", e));
        } catch (LongLineException e) {
            return Optional.of(DataRow.broken("invalid_json", new DataException(file, lines.line(), e.getMessage())));
        }
    }

    @Override
    public long line() {
        return before + 1;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
