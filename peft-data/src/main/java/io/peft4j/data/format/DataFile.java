package io.peft4j.data.format;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A file of rows, with what is said of how it is read; all else is recognised.
 *
 * <pre>{@code
 * DataFile file = DataFile.of(Path.of("fragen.csv")).withColumns(Map.of("Frage", "question", "Antwort", "answer"))
 *         .withEncoding(DataFile.encoding("windows-1252"));
 * ChatDataset.read(file);
 * }</pre>
 *
 * @param path where it lies; {@code -} is the standard input, which as any pipe can be read once
 * @param format what its rows are; empty: recognised
 * @param columns names of keys or columns in the file, and the names that the format has for them; others keep theirs
 * @param encoding of its text; empty: UTF-8, or UTF-16 where the file begins with its byte order mark
 * @param look runs now and then while a document is read; may throw to give up
 */
@With
public record DataFile(Path path, Optional<DataFormat> format, Map<String, String> columns,
        Optional<Charset> encoding, Runnable look) implements DataFileWith {
    private static final Runnable NOBODY = () -> {
    };

    /**
     * Copies the names.
     *
     * @throws ConfigurationException when two columns are given one name
     */
    public DataFile {
        DataFileWith.check(path, format, columns, encoding, look);
        columns = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(columns));
        if (new HashSet<>(columns.values()).size() < columns.size()) {
            throw new ConfigurationException("two columns are given the same name: " + columns);
        }
    }

    /** A file that is read to its end. */
    public DataFile(Path path, Optional<DataFormat> format, Map<String, String> columns, Optional<Charset> encoding) {
        this(path, format, columns, encoding, NOBODY);
    }

    /** A file that is read as what it looks like. */
    public static DataFile of(Path path) {
        return new DataFile(path, Optional.empty(), Map.of(), Optional.empty());
    }

    /**
     * Whether a table with these columns holds examples, and is not the table of a handbook: its format is
     * given, one of its columns is given a name, or the columns are those of a format or called like a question and
     * its answer.
     */
    public boolean isTableOfExamples(List<String> names) {
        Map<String, Object> row = new LinkedHashMap<>();
        names.forEach(name -> row.put(name.strip(), ""));
        return format.isPresent() || columns.keySet().stream().anyMatch(row::containsKey)
                || DataFormat.of(row).isPresent()
                || ColumnNames.FORMS.stream().anyMatch(form -> row.keySet().containsAll(form))
                || columns.isEmpty() && ColumnNames.advice(row.keySet(), ColumnNames.FORMS.subList(0, 1)).isPresent();
    }

    /** The names that columns have in the formats that tables can hold. */
    public static List<String> columnNames() {
        return ColumnNames.FORMS.stream().flatMap(List::stream).distinct().toList();
    }

    /**
     * The encoding of a name, such as {@code windows-1252}, {@code cp1252}, {@code latin1} or {@code UTF-16LE}.
     *
     * @throws ConfigurationException when there is none
     */
    public static Charset encoding(String name) {
        String known = switch (name.toLowerCase(Locale.ROOT)) {
            case "ansi" -> "windows-1252";
            case "utf-8-sig" -> "UTF-8";
            case "macintosh", "macroman" -> "x-MacRoman";
            default -> name;
        };
        try {
            return known.equalsIgnoreCase("UTF-8") ? StandardCharsets.UTF_8 : Charset.forName(known);
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            throw new ConfigurationException("unknown encoding '" + name + "'; Excel writes UTF-8, windows-1252 or "
                    + "UTF-16LE, others are for instance ISO-8859-1 and windows-1250; x-MacRoman and more need Java's "
                    + "module jdk.charsets");
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
