package io.peft4j.data.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.data.format.ColumnNames.Column;
import io.peft4j.data.format.ColumnNames.Fit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the columns of a CSV, TSV, XLSX or Parquet table are: found by usual names in English, German, French and
 * Spanish, in any case, and by their cells, or as they were remembered in a file beside the table.
 *
 * <pre>{@code
 * TableColumns found = TableColumns.of(DataFile.of(Path.of("faq.csv")), TableColumns.EXAMPLES);
 * ChatDataset.read(found.file());
 * found.remember();
 * }</pre>
 *
 * @param file the table with the names of its columns; as it was given where it is no table, or has a format's names
 * @param columns all columns of what is read
 * @param otherSheets sheets of a workbook that are left out
 * @param remembered whether the names come from the file beside the table
 */
public record TableColumns(DataFile file, List<String> columns, List<String> otherSheets, boolean remembered) {
    /** Rows to learn from, or to ask. */
    public static final List<List<String>> EXAMPLES = Stream.concat(ColumnNames.FORMS.stream(),
            Stream.of(List.of("question"), List.of("text"))).toList();
    /** Texts, with their labels or without. */
    public static final List<List<String>> TEXTS = List.of(List.of("text", "label?"));
    /** The ending of the file beside a table. */
    public static final String REMEMBERED = ".columns.json";

    private static final Logger LOG = LoggerFactory.getLogger(TableColumns.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROWS = 200;
    private static final int SHOWN = 24;
    private static final List<String> PLACES = List.of("sheet", "row");

    /** Copies the lists. */
    public TableColumns {
        columns = List.copyOf(columns);
        otherSheets = List.copyOf(otherSheets);
    }

    /**
     * Finds the columns of a file; names that it is given already stay.
     *
     * @param forms lists of names, each list what rows may be; a name that ends in {@code ?} need not be there
     * @throws DataException when no form, or none surely, can be made of the columns: lists them, and says which names
     *     they could be given
     * @throws UncheckedIOException when the file cannot be read
     */
    public static TableColumns of(DataFile file, List<List<String>> forms) {
        String name = DataFiles.plainName(file.path());
        boolean table = name.endsWith(".xlsx") || name.endsWith(".parquet") || ExampleWriter.isTable(file.path());
        Map<String, List<Column>> sheets = table && Files.isRegularFile(file.path()) ? sheets(file) : Map.of();
        Search search = new Search(file, forms, sheets);
        if (sheets.isEmpty() || !file.columns().isEmpty() || sheets.values().stream().flatMap(List::stream)
                .anyMatch(column -> ColumnNames.KEYS.contains(column.name()))) {
            return search.with(file.columns(), false);
        }
        Optional<Map<String, String>> known = read(file.path()).stream().filter(search::takes).findFirst();
        return known.isPresent() ? search.with(known.get(), true) : search.with(search.found(), false);
    }

    /** The columns of each sheet, with the cells of some rows; of a file without sheets of the one. */
    private static Map<String, List<Column>> sheets(DataFile file) {
        Map<String, Map<String, List<String>>> cells = new LinkedHashMap<>();
        // With a format every sheet is a table.
        try (OpenRows rows = OpenRows.open(file.withColumns(Map.of()).withFormat(DataFormat.TEXT))) {
            int read = 0;
            boolean sheeted = DataFiles.plainName(file.path()).endsWith(".xlsx");
            for (Optional<DataRow> next = rows.next(); next.isPresent() && (sheeted || read < ROWS); read++) {
                next.filter(row -> !row.isWrong()).ifPresent(row -> {
                    Map<String, List<String>> sheet = cells.computeIfAbsent(sheeted ? row.fields().get("sheet")
                            .toString() : "", key -> new LinkedHashMap<>());
                    row.fields().forEach((key, value) -> {
                        List<String> samples = sheeted && PLACES.contains(key) ? new ArrayList<>()
                                : sheet.computeIfAbsent(key, column -> new ArrayList<>());
                        if (value != null && samples.size() < ROWS && !value.toString().isBlank()) {
                            samples.add(value.toString());
                        }
                    });
                });
                next = rows.next();
            }
        }
        Map<String, List<Column>> sheets = new LinkedHashMap<>();
        cells.forEach((sheet, columns) -> sheets.put(sheet, columns.entrySet().stream()
                .map(column -> new Column(column.getKey(), column.getValue())).toList()));
        return sheets;
    }

    /** The line that says what the columns are; empty where they have a format's own names. */
    public Optional<String> words() {
        Map<String, String> names = new LinkedHashMap<>(file.columns());
        names.keySet().retainAll(columns);
        if (columns.isEmpty() || names.entrySet().stream().allMatch(name -> name.getKey().equals(name.getValue()))
                && otherSheets.isEmpty()) {
            return Optional.empty();
        }
        String[] verb = {" is the "};
        String told = names.entrySet().stream().map(name -> {
            String one = name.getKey() + verb[0] + name.getValue();
            verb[0] = " the ";
            return one;
        }).collect(Collectors.joining(", "));
        List<String> others = columns.stream().filter(column -> !names.containsKey(column)).toList();
        return Optional.of("columns: " + told + (others.isEmpty() ? "" : "; others left out: " + String.join(", ",
                others)) + (otherSheets.isEmpty() ? "" : "; sheets left out: " + String.join(", ", otherSheets))
                + (remembered ? " (from " + beside(file.path()).getFileName() + ")" : ""));
    }

    /** Writes the names into a file beside the table, for the next reader; does nothing where that cannot be. */
    public void remember() {
        if (!remembered && words().isPresent()) {
            remember(file.path());
        }
    }

    /** The same beside another table with these columns. */
    public void remember(Path table) {
        Path beside = beside(table);
        List<Map<String, String>> all = new ArrayList<>(List.of(file.columns()));
        read(table).stream().filter(one -> !one.values().containsAll(file.columns().values())).forEach(all::add);
        if (!file.columns().isEmpty() && Files.isWritable(beside.toAbsolutePath().getParent())) {
            try {
                AtomicFiles.writeString(beside, JSON.writeValueAsString(Map.of("columns", all)) + "\n");
            } catch (JsonProcessingException | UncheckedIOException e) {
                LOG.debug("the columns of {} are not remembered", table, e);
            }
        }
    }

    private static Path beside(Path table) {
        return table.resolveSibling(table.getFileName() + REMEMBERED);
    }

    private static List<Map<String, String>> read(Path table) {
        Path beside = beside(table);
        try {
            return !Files.isRegularFile(beside) ? List.of() : JSON.convertValue(Objects.requireNonNull(JSON.readTree(
                    beside.toFile()).get("columns")), new TypeReference<List<LinkedHashMap<String, String>>>() {
                    }).stream().<Map<String, String>>map(one -> one).toList();
        } catch (IOException | IllegalArgumentException | NullPointerException e) {
            LOG.warn("{} is not {\"columns\": [{\"COLUMN\": \"name\"}]} and is not read", beside);
            return List.of();
        }
    }

    /** A search in the sheets of a file. */
    private record Search(DataFile file, List<List<String>> forms, Map<String, List<Column>> sheets) {
        TableColumns with(Map<String, String> names, boolean known) {
            Map<Boolean, List<String>> used = sheets.keySet().stream().collect(Collectors.partitioningBy(
                    sheet -> names.isEmpty() || columns(sheet).stream().anyMatch(names::containsKey)));
            return new TableColumns(file.withColumns(names), used.get(true).stream().flatMap(sheet -> columns(sheet)
                    .stream()).distinct().toList(), used.get(true).isEmpty() ? List.of() : used.get(false), known);
        }

        private List<String> columns(String sheet) {
            return sheets.get(sheet).stream().map(Column::name).toList();
        }

        /** Whether a sheet has all columns of remembered names, and these make a form. */
        boolean takes(Map<String, String> names) {
            return sheets.keySet().stream().anyMatch(sheet -> columns(sheet).containsAll(names.keySet()))
                    && forms.stream().anyMatch(form -> form.stream().allMatch(name -> name.endsWith("?")
                            || names.containsValue(name)));
        }

        /** The names that are found; none where the columns have a format's own. */
        Map<String, String> found() {
            Map<Map<String, String>, List<String>> found = new LinkedHashMap<>();
            List<Map<String, String>> proposals = new ArrayList<>();
            boolean known = false;
            for (Map.Entry<String, List<Column>> sheet : sheets.entrySet()) {
                Fit best = ColumnNames.fits(sheet.getValue(), forms).get(0);
                known |= columns(sheet.getKey()).stream().anyMatch(ColumnNames::isKnown) || DataFormat.of(sheet
                        .getValue().stream().collect(Collectors.toMap(Column::name, column -> ""))).isPresent();
                if (best.isWhole() && best.unclear().isEmpty()) {
                    found.computeIfAbsent(best.names(), names -> new ArrayList<>()).add(sheet.getKey());
                }
                proposals.addAll(best.proposals(sheet.getValue()));
            }
            if (found.size() > 1) {
                throw unclear("the sheets " + found.values().stream().flatMap(List::stream).toList()
                        + " have different columns, and those of one are needed", List.copyOf(found.keySet()));
            }
            if (found.isEmpty() && !known) {
                throw unclear("it is not clear which columns are what", proposals);
            }
            return found.keySet().stream().filter(names -> sheets.size() > 1 || names.entrySet().stream()
                    .anyMatch(name -> !name.getKey().equals(name.getValue()))).findFirst().orElse(Map.of());
        }

        private DataException unclear(String problem, List<Map<String, String>> proposals) {
            StringBuilder text = new StringBuilder(problem);
            sheets.forEach((sheet, columns) -> text.append('\n').append(sheet.isEmpty() ? "columns: "
                    : "sheet '" + sheet + "': ")
                    .append(columns.stream().map(column -> column.name() + column.samples().stream().findFirst()
                            .map(one -> " (" + one.substring(0, Math.min(SHOWN, one.length())) + ")").orElse(""))
                            .collect(Collectors.joining(", "))));
            text.append("\ntried, by names and by content: ").append(forms.stream().map(form -> String.join(" and ",
                    form).replace("?", "")).collect(Collectors.joining("; ")));
            proposals.forEach(names -> text.append("\ncolumns can be renamed: ").append(Fit.renaming(names)));
            return new DataException(file.path(), text.toString());
        }
    }
}
