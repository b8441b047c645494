package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.support.DataFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The rows of a file of JSON Lines; blank lines are skipped. */
final class JsonLineRows implements RowSource {
    private final Path file;
    private final InputStream in;
    private final Utf8Lines lines;
    private boolean ended;

    JsonLineRows(DataFile file, InputStream in) {
        this.file = file.path();
        this.in = in;
        this.lines = new Utf8Lines(this.file, in);
    }

    @Override
    public Optional<DataRow> next() {
        if (ended) {
            return Optional.empty();
        }
        long before = lines.line();
        try {
            Optional<String> line = lines.next();
            while (line.isPresent() && line.get().isBlank()) {
                before = lines.line();
                line = lines.next();
            }
            return line.map(text -> RowSource.jsonLine(file, lines.line(), text));
        } catch (DataException e) {
            return Optional.of(DataRow.broken("wrong_encoding", e));
        } catch (LongLineException e) {
            return Optional.of(DataRow.broken("invalid_json", new DataException(file, lines.line(), e.getMessage())));
        } catch (IOException e) {
            if (!DataFiles.isDamage(e)) {
                throw DataFiles.unreadable(file, e);
            }
            ended = true;
            return Optional.of(DataFiles.damaged(file, before + 1, e));
        }
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
    }
}
