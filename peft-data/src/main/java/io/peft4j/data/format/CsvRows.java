package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    /** Whether the first line names the columns, and not the separator. */
    private final boolean names;
    private final Layout layout;
    private List<String> columns = List.of();
    private long line = 1;
    private boolean begun;
    private boolean ended;

    CsvRows(DataFile file, boolean tabs) throws IOException {
        this.file = file.path();
        InputStream raw = new BufferedInputStream(DataFiles.open(this.file));
        boolean marked = Layout.isMarked(raw);
        this.layout = tabs ? new Layout('\t', false, marked) : Layout.of(file, raw, marked);
        InputStream in = DataFiles.text(file, raw);
        // Empty lines are skipped here and not by the parser, which would not count them; by this mode an empty cell
        // without quotes is null, so that a row of one empty cell in quotes differs from an empty line.
        CSVFormat format = CSVFormat.RFC4180.builder().setDelimiter(layout.separator()).setIgnoreEmptyLines(false)
                .setQuoteMode(QuoteMode.ALL_NON_NULL).get();
        this.reader = new Utf8LineReader(this.file, in);
        this.names = !layout.named();
        this.parser = CSVParser.parse(reader, format);
        this.records = parser.iterator();
    }

    /**
     * What separates cells.
     *
     * @param separator a comma, a semicolon or a tab
     * @param named whether a first line {@code sep=;} says so, as Excel writes it
     * @param marked whether the file begins with a byte order mark
     */
    private record Layout(char separator, boolean named, boolean marked) {
        private static final String NAMING = "sep=";

        /** The one of them that the first line has most of outside of quotes; a comma where it has none. */
        static Layout of(DataFile file, InputStream raw, boolean marked) {
            try {
                raw.mark(Utf8Lines.LONGEST + (1 << 18));
                String header;
                try {
                    header = new Utf8Lines(file.path(), DataFiles.text(file, withoutMark(raw))).next().orElse("");
                } finally {
                    raw.reset();
                    raw.mark(0);
                }
                if (header.startsWith(NAMING) && header.length() == NAMING.length() + 1) {
                    return new Layout(header.charAt(NAMING.length()), true, marked);
                }
                String bare = header.replaceAll("\"[^\"]*\"", "");
                char most = ',';
                for (char other : new char[] {';', '\t'}) {
                    most = count(bare, other) > count(bare, most) ? other : most;
                }
                return new Layout(most, false, marked);
            } catch (DataException | LongLineException e) {
                // Told when the rows are read.
                return new Layout(',', false, false);
            } catch (IOException e) {
                if (DataFiles.isDamage(e)) {
                    return new Layout(',', false, false);
                }
                throw DataFiles.unreadable(file.path(), e);
            }
        }

        /** The same stream for readers that would set a mark of their own. */
        private static InputStream withoutMark(InputStream raw) {
            return new FilterInputStream(raw) {
                @Override
                public boolean markSupported() {
                    return false;
                }
            };
        }

        static boolean isMarked(InputStream in) {
            try {
                return DataFiles.beginsWithMark(in);
            } catch (IOException e) {
                // Told when the rows are read.
                return false;
            }
        }

        private static long count(String text, char wanted) {
            return text.chars().filter(c -> c == wanted).count();
        }
    }

    @Override
    public Optional<TableLayout> layout() {
        return columns.isEmpty() ? Optional.empty() : Optional.of(new TableLayout(layout.separator(), layout.named(),
                layout.marked(), columns, Map.of()));
    }

    @Override
    public Optional<DataRow> next() throws IOException {
        Optional<DataRow> entry = ended ? Optional.empty() : read();
        ended |= entry.isEmpty();
        return entry;
    }

    private Optional<DataRow> read() throws IOException {
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
            if (e.getCause() instanceof CSVException) {
                return last("invalid_csv", line, "the quotes of the row cannot be read: " + e.getCause().getMessage());
            }
            throw e.getCause();
        } catch (IllegalStateException e) {
            return last("invalid_csv", line, "the row cannot be read: " + e.getMessage());
        }
    }

    /** A fault after which the rest cannot be told apart. */
    private Optional<DataRow> last(String code, long place, String problem) {
        ended = true;
        return Optional.of(DataRow.last(code, new DataException(file, place, problem)));
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
        if (!names) {
            record();
        }
        List<String> names = record().map(cells -> cells.stream().map(CsvRows::cell).map(String::strip).toList())
                .orElse(List.of());
        if (names.stream().distinct().count() < names.size()) {
            throw new HeaderException("the first row has a column twice: " + names);
        }
        columns = names;
    }

    private static final class HeaderException extends Exception {
        private static final long serialVersionUID = 1L;

        HeaderException(String message) {
            super(message);
        }
    }

    private DataRow entry(CSVRecord record) {
        if (record.size() != columns.size()) {
            return DataRow.broken("invalid_csv",
                    new DataException(file, line, "has " + record.size() + " cells, but the "
                            + "first row names " + columns.size() + " columns; put texts with separators into quotes"));
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            fields.put(columns.get(i), cell(record.get(i)));
        }
        return new DataRow(file, line, fields);
    }

    @Override
    public long line() {
        return line;
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }

    /**
     * Characters of a file, no more than a line at once, so that a byte which is not UTF-8 is met when its own line is
     * read, and not before. It is reported by the {@link io.peft4j.core.error.DataException} of {@link Utf8Lines}.
     */
    private static final class Utf8LineReader extends Reader {
        private final InputStream in;
        private final Utf8Lines lines;
        private String line = "";
        private int at;
        private long sinceRow;

        Utf8LineReader(Path file, InputStream in) {
            this.in = in;
            this.lines = new Utf8Lines(file, in, true);
        }

        /** Says that a row begins: no row may be longer than a line. */
        void rowBegins() {
            sinceRow = 0;
        }

        @Override
        public int read(char[] characters, int from, int length) throws IOException {
            Objects.checkFromIndexSize(from, length, characters.length);
            if (at == line.length()) {
                Optional<String> next = lines.next();
                if (next.isEmpty()) {
                    return -1;
                }
                line = next.get() + "\n";
                sinceRow += line.length();
                if (sinceRow > Utf8Lines.LONGEST) {
                    throw new LongLineException(
                            "is longer than " + (Utf8Lines.LONGEST >> 20) + " million characters; a quote in it "
                                    + "may not be closed");
                }
                at = 0;
            }
            int count = Math.min(length, line.length() - at);
            line.getChars(at, at + count, characters, from);
            at += count;
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
