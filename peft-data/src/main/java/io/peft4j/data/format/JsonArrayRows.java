package io.peft4j.data.format;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The rows of a file that is one JSON list of objects. After text that is not JSON nothing more can be told apart, so
 * that it ends the file.
 */
final class JsonArrayRows implements RowSource {
    private static final int MOST_BLANKS = 1 << 16;

    private final Path file;
    private final JsonParser parser;
    private boolean begun;
    private boolean ended;

    JsonArrayRows(DataFile file, InputStream in) throws IOException {
        this.file = file.path();
        this.parser = JsonText.JSON.createParser(in);
    }

    /** Whether the first character that is not white space is a bracket. */
    static boolean beginsWithBracket(DataFile file, InputStream in) {
        try {
            in.mark(MOST_BLANKS);
            int next = in.read();
            for (int i = 2; i < MOST_BLANKS
                    && (next == ' ' || next == '\n' || next == '\r' || next == '\t' || next == 0xEF || next == 0xBB
                            || next == 0xBF); i++) {
                next = in.read();
            }
            in.reset();
            return next == '[';
        } catch (IOException e) {
            if (DataFiles.isDamage(e)) {
                // Told when the rows are read, which fails in the same place.
                return false;
            }
            throw DataFiles.unreadable(file.path(), e);
        }
    }

    @Override
    public Optional<DataRow> next() throws IOException {
        if (ended) {
            return Optional.empty();
        }
        try {
            if (!begun) {
                parser.nextToken();
                begun = true;
            }
            JsonToken token = parser.nextToken();
            long line = parser.currentTokenLocation().getLineNr();
            if (token == JsonToken.END_ARRAY) {
                ended = true;
                return afterTheEnd();
            }
            if (token == null) {
                ended = true;
                return Optional.of(DataRow.broken("invalid_json", new DataException(file, line,
                        "the list is not closed")));
            }
            Object value = JsonText.JSON.readValue(parser, Object.class);
            return Optional.of(new DataRow(file, line, JsonText.object(file, line, value)));
        } catch (DataException e) {
            return Optional.of(DataRow.broken("invalid_json", e));
        } catch (JsonProcessingException e) {
            ended = true;
            boolean encoding = e.getOriginalMessage().contains("UTF-8");
            long line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            return Optional.of(DataRow.last(encoding ? "wrong_encoding" : "invalid_json",
                    JsonText.wrong(file, line, "", e)));
        }
    }

    @Override
    public long line() {
        return parser.currentLocation().getLineNr();
    }

    private Optional<DataRow> afterTheEnd() throws IOException {
        if (parser.nextToken() == null) {
            return Optional.empty();
        }
        return Optional.of(DataRow.broken("invalid_json", new DataException(file,
                parser.currentTokenLocation().getLineNr(), "more JSON follows the list")));
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
