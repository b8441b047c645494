package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import io.peft4j.data.JsonLines;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
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
    private final List<String> columns;
    private boolean ended;

    CsvRows(Path file, char separator) {
        this.file = file;
        CSVFormat format = CSVFormat.RFC4180.builder().setDelimiter(separator).setIgnoreEmptyLines(true).get();
        try {
            this.parser = CSVParser.parse(reader(file), format);
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
        this.records = parser.iterator();
        this.columns = header();
    }

    private static Reader reader(Path file) throws IOException {
        PushbackInputStream in = new PushbackInputStream(DataFiles.open(file), 3);
        byte[] mark = in.readNBytes(3);
        boolean byteOrder = mark.length == 3 && mark[0] == (byte) 0xEF && mark[1] == (byte) 0xBB
                && mark[2] == (byte) 0xBF;
        if (!byteOrder) {
            in.unread(mark);
        }
        return strict(in);
    }

    private static Reader strict(InputStream in) {
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)));
    }

    private List<String> header() {
        try {
            List<String> names = records.hasNext() ? records.next().stream().map(String::strip).toList() : List.of();
            if (names.stream().distinct().count() < names.size()) {
                throw new DataException(file, 1, "the first row names a column twice: " + names);
            }
            return names;
        } catch (UncheckedIOException e) {
            throw new DataException(file, 1, 0, "its first row is not text in UTF-8: " + e.getCause().getMessage(), e);
        } catch (IllegalStateException e) {
            throw new DataException(file, 1, 0, "its first row cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public Optional<Entry> next() {
        if (ended) {
            return Optional.empty();
        }
        long line = parser.getCurrentLineNumber() + 1;
        try {
            return records.hasNext() ? Optional.of(entry(line, records.next())) : Optional.empty();
        } catch (UncheckedIOException e) {
            ended = true;
            // The reader decodes ahead, so that the line is where it stopped, at most 8 KB before the fault.
            if (e.getCause() instanceof CharacterCodingException) {
                return Optional.of(Entry.wrong("wrong_encoding", new DataException(file, line, "there is a byte that "
                        + "is not UTF-8 text within 8 KB after this line; convert the file to UTF-8")));
            }
            if (e.getCause() instanceof CSVException) {
                return Optional.of(Entry.wrong("invalid_csv", new DataException(file, line, "the quotes of the row "
                        + "cannot be read: " + e.getCause().getMessage() + "; nothing after it was read")));
            }
            throw DataFiles.unreadable(file, e.getCause());
        } catch (IllegalStateException e) {
            ended = true;
            return Optional.of(Entry.wrong("invalid_csv", new DataException(file, line, "the row cannot be read: "
                    + e.getMessage() + "; nothing after it was read")));
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
