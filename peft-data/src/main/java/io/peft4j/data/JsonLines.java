package io.peft4j.data;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Reads JSON Lines: UTF-8 text with one JSON object a line. Blank lines are skipped. Rows are handed on one by one, so
 * the size of a file does not matter.
 */
public final class JsonLines {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonLines() {
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
     * Reads a file.
     *
     * @param file the file
     * @param action told of each row, in their order
     * @return the number of rows
     * @throws DataException when a line is not UTF-8 or not a JSON object: with file, line and column
     * @throws UncheckedIOException when the file cannot be read
     */
    public static long read(Path file, Consumer<Row> action) {
        long line = 0;
        long rows = 0;
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(Files.newInputStream(file),
                StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)))) {
            for (String row = reader.readLine(); row != null; row = reader.readLine()) {
                line++;
                if (line == 1 && row.startsWith("\uFEFF")) {
                    row = row.substring(1);
                }
                if (!row.isBlank()) {
                    rows++;
                    action.accept(new Row(file, line, parse(file, line, row)));
                }
            }
        } catch (CharacterCodingException e) {
            throw new DataException(file, line + 1, 0, "is not UTF-8 text at or soon after this line; convert the file "
                    + "to UTF-8", e);
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("cannot read " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        return rows;
    }

    private static Map<String, Object> parse(Path file, long line, String row) {
        try {
            Object value = JSON.readValue(row, Object.class);
            if (!(value instanceof Map<?, ?> map)) {
                throw new DataException(file, line, "is not a JSON object");
            }
            return object(map);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new DataException(file, line, at == null ? 0 : at.getColumnNr(),
                    "is not valid JSON: " + e.getOriginalMessage(), e);
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
