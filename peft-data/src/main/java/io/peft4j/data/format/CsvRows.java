package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.JsonLines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** The rows of a CSV or TSV file (RFC 4180; a cell in quotes may span lines), whose first row names the columns. */
final class CsvRows implements RowSource {
    private final Path file;
    private final CSVParser parser;
    private final Iterator<CSVRecord> records;
    private List<String> columns = List.of();
    private boolean begun;
    private boolean ended;

    CsvRows(Path file, char separator) {
        this.file = file;
        CSVFormat format = CSVFormat.RFC4180.builder().setDelimiter(separator).setIgnoreEmptyLines(true).get();
        try {
            this.parser = CSVParser.parse(new Utf8LineReader(file, DataFiles.open(file)), format);
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
        this.records = parser.iterator();
    }

    @Override
    public Optional<Entry> next() {
        Optional<Entry> entry = ended ? Optional.empty() : read();
        ended |= entry.isEmpty();
        return entry;
    }

    private Optional<Entry> read() {
        long line = parser.getCurrentLineNumber() + 1;
        try {
            if (!begun) {
                begun = true;
                header();
                line = parser.getCurrentLineNumber() + 1;
            }
            return records.hasNext() ? Optional.of(entry(line, records.next())) : Optional.empty();
        } catch (DataException e) {
            return last("wrong_encoding", e.line(), e.problem());
        } catch (HeaderException e) {
            return last("invalid_csv", line, e.getMessage());
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CSVException) {
                return last("invalid_csv", line, "the quotes of the row cannot be read: " + e.getCause().getMessage());
            }
            throw DataFiles.unreadable(file, e.getCause());
        } catch (IllegalStateException e) {
            return last("invalid_csv", line, "the row cannot be read: " + e.getMessage());
        }
    }

    /** A fault after which the rest cannot be told apart. */
    private Optional<Entry> last(String code, long line, String problem) {
        ended = true;
        return Optional.of(Entry.wrong(code, new DataException(file, line, problem + "; nothing after it was read")));
    }

    private void header() throws HeaderException {
        List<String> names = records.hasNext() ? records.next().stream().map(String::strip).toList() : List.of();
        if (names.stream().distinct().count() < names.size()) {
            throw new HeaderException("the first row names a column twice: " + names);
        }
        columns = names;
    }

    private static final class HeaderException extends Exception {
        private static final long serialVersionUID = 1L;

        HeaderException(String message) {
            super(message);
        }
    }

    private Entry entry(long line, CSVRecord record) {
        if (record.size() != columns.size()) {
            return Entry.wrong("invalid_csv", new DataException(file, line, "has " + record.size() + " cells, but the "
                    + "first row names " + columns.size() + " columns; put texts with separators into quotes"));
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            fields.put(columns.get(i), record.get(i));
        }
        return Entry.of(new JsonLines.Row(file, line, fields));
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
    }
}
