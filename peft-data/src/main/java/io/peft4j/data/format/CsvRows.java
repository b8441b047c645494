package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
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
import org.apache.commons.csv.QuoteMode;

/** The rows of a CSV or TSV file (RFC 4180; a cell in quotes may span lines), whose first row names the columns. */
final class CsvRows implements RowSource {
    private final Path file;
    private final Utf8LineReader reader;
    private final CSVParser parser;
    private final Iterator<CSVRecord> records;
    private List<String> columns = List.of();
    private long line = 1;
    private boolean begun;
    private boolean ended;

    CsvRows(Path file, char separator) {
        this.file = file;
        // Empty lines are skipped here and not by the parser, which would not count them; by this mode an empty cell
        // without quotes is null, so that a row of one empty cell in quotes differs from an empty line.
        CSVFormat format = CSVFormat.RFC4180.builder().setDelimiter(separator).setIgnoreEmptyLines(false)
                .setQuoteMode(QuoteMode.ALL_NON_NULL).get();
        this.reader = new Utf8LineReader(file, DataFiles.open(file));
        try {
            this.parser = CSVParser.parse(reader, format);
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
        this.records = parser.iterator();
    }

    /** A semicolon where the first line has one and no comma outside of quotes, else a comma. */
    static char separator(Path file) {
        try (InputStream in = DataFiles.open(file)) {
            String header = new Utf8Lines(file, in).next().orElse("").replaceAll("\"[^\"]*\"", "");
            return header.indexOf(';') >= 0 && header.indexOf(',') < 0 ? ';' : ',';
        } catch (DataException | LongLineException e) {
            // Told when the rows are read.
            return ',';
        } catch (IOException e) {
            if (DataFiles.isDamage(e)) {
                return ',';
            }
            throw DataFiles.unreadable(file, e);
        }
    }

    @Override
    public Optional<Entry> next() {
        Optional<Entry> entry = ended ? Optional.empty() : read();
        ended |= entry.isEmpty();
        return entry;
    }

    private Optional<Entry> read() {
        try {
            if (!begun) {
                begun = true;
                header();
            }
            return record().map(this::entry);
        } catch (DataException e) {
            return last("wrong_encoding", e.line(), e.problem());
        } catch (HeaderException e) {
            return last("invalid_csv", line, e.getMessage());
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof LongLineException) {
                return last("invalid_csv", line, e.getCause().getMessage());
            }
            if (DataFiles.isDamage(e.getCause())) {
                ended = true;
                return Optional.of(DataFiles.damaged(file, line, e.getCause()));
            }
            if (e.getCause() instanceof CSVException) {
                return last("invalid_csv", line, "the quotes of the row cannot be read: " + e.getCause().getMessage());
            }
            throw DataFiles.unreadable(file, e.getCause());
        } catch (IllegalStateException e) {
            return last("invalid_csv", line, "the row cannot be read: " + e.getMessage());
        }
    }

    /** A fault after which the rest cannot be told apart. */
    private Optional<Entry> last(String code, long place, String problem) {
        ended = true;
        return Optional.of(Entry.wrong(code, new DataException(file, place, problem + "; the rest was not read")));
    }

    /** The next row that is not an empty line; {@link #line} is where it begins. */
    private Optional<CSVRecord> record() {
        Optional<CSVRecord> record = Optional.empty();
        boolean empty = true;
        while (empty) {
            line = parser.getCurrentLineNumber() + 1;
            reader.rowBegins();
            record = records.hasNext() ? Optional.of(records.next()) : Optional.empty();
            empty = record.isPresent() && record.get().size() == 1 && record.get().get(0) == null;
        }
        return record;
    }

    private static String cell(String value) {
        return value == null ? "" : value;
    }

    private void header() throws HeaderException {
        List<String> names = record().map(cells -> cells.stream().map(CsvRows::cell).map(String::strip).toList())
                .orElse(List.of());
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

    private Entry entry(CSVRecord record) {
        if (record.size() != columns.size()) {
            return Entry.wrong("invalid_csv", new DataException(file, line, "has " + record.size() + " cells, but the "
                    + "first row names " + columns.size() + " columns; put texts with separators into quotes"));
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            fields.put(columns.get(i), cell(record.get(i)));
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
