package io.peft4j.data;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Reads JSON Lines: UTF-8 text with one JSON object a line. Blank lines are skipped. Rows are handed on one by one, so
 * the size of a file does not matter.
 */
public final class JsonLines {
    private static final int MOST_FAULTS = 10;
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
    /** Parts of Jackson's messages that mean nothing to the reader: names of its classes, places in its buffers. */
    private static final Pattern NOISE = Pattern.compile(" \\([^(\\[]*\\[Source:.*\\]\\)|, from `[^`]*`");

    private final Path file;
    private final Consumer<Row> action;
    private final int mostFaults;
    private final List<DataException> faults = new ArrayList<>();
    private long rows;

    private JsonLines(Path file, Consumer<Row> action, int mostFaults) {
        this.file = file;
        this.action = action;
        this.mostFaults = mostFaults;
    }

    /**
     * A row.
     *
     * @param file the file that it stands in
     * @param line its line, from 1
     * @param fields the object; belongs to the receiver, who may change it
     */
    public record Row(Path file, long line, Map<String, Object> fields) {
        /** An exception that names the row's place. */
        public DataException wrong(String message) {
            return new DataException(file, line, message);
        }
    }

    /**
     * Reads a file up to the first fault.
     *
     * @param file the file
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a line is not UTF-8, longer than 16 MB or not a JSON object: with file, line and
     * column
     * @throws UncheckedIOException when the file cannot be read
     */
    public static long read(Path file, Consumer<Row> action) {
        return new JsonLines(file, action, 1).read();
    }

    /**
     * As {@link #read}, for an action that only looks at the rows: goes on after a fault, also one that the action
     * throws, so that the first {@value #MOST_FAULTS} wrong rows can be mended in one go.
     *
     * @throws DataException at the place of the first fault, with a list of all
     */
    static long check(Path file, Consumer<Row> action) {
        return new JsonLines(file, action, MOST_FAULTS).read();
    }

    private long read() {
        try (InputStream in = Files.newInputStream(file)) {
            Utf8Lines lines = new Utf8Lines(file, in);
            while (faults.size() < mostFaults && readRow(lines)) {
                // Each call reads one row.
            }
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("cannot read " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        if (!faults.isEmpty()) {
            throw complaint();
        }
        return rows;
    }

    /** Reads one line; false at the end. */
    private boolean readRow(Utf8Lines lines) throws IOException {
        try {
            Optional<String> row = lines.next();
            if (row.isPresent() && !row.get().isBlank()) {
                rows++;
                action.accept(new Row(file, lines.line(), parse(lines.line(), row.get())));
            }
            return row.isPresent();
        } catch (DataException e) {
            faults.add(e);
            return true;
        }
    }

    private DataException complaint() {
        DataException first = faults.get(0);
        if (faults.size() == 1) {
            return first;
        }
        StringBuilder text = new StringBuilder(first.problem());
        text.append("\nMore rows are wrong:");
        faults.subList(1, faults.size()).forEach(fault -> text.append("\n  ").append(fault.getMessage()));
        if (faults.size() == mostFaults) {
            text.append("\n  (not read any further)");
        }
        return new DataException(file, first.line(), first.column(), text.toString(), first);
    }

    private Map<String, Object> parse(long line, String row) throws IOException {
        try (JsonParser parser = JSON.createParser(row)) {
            Object value = JSON.readValue(parser, Object.class);
            JsonLocation end = parser.currentLocation();
            if (!(value instanceof Map<?, ?> map)) {
                throw new DataException(file, line, "is not a JSON object" + (value instanceof List<?>
                        ? " but a list; write one object a line, with no list around them" : ""));
            }
            if (parser.nextToken() != null) {
                throw new DataException(file, line, end.getColumnNr(),
                        "more JSON follows the object; write one object a line", null);
            }
            return object(map);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String message = NOISE.matcher(e.getOriginalMessage()).replaceAll("");
            String hint = row.stripTrailing().length() <= 2 ? "; an example must stand on one line" : "";
            throw new DataException(file, line, at == null ? 0 : at.getColumnNr(),
                    "is not valid JSON: " + message + hint, e);
        }
    }

    /** A changeable copy of a JSON object. */
    static Map<String, Object> object(Map<?, ?> map) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> copy.put((String) key, value));
        return copy;
    }

    /** The keys of a row that are among {@code known}, in the order of {@code known}. */
    static List<String> present(Row row, List<String> known) {
        return known.stream().filter(row.fields()::containsKey).toList();
    }
}
