package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Rows whose keys have other names. A key that no row has is a fault after the last one, unless the rows have the name
 * that it would get.
 */
final class RenamedRows implements RowSource {
    private final DataFile file;
    private final RowSource rows;
    private final Set<String> unseen;
    private final Set<String> keys = new LinkedHashSet<>();
    private long line;

    RenamedRows(DataFile file, RowSource rows) {
        this.file = file;
        this.rows = rows;
        this.unseen = new LinkedHashSet<>(file.columns().keySet());
    }

    @Override
    public Optional<Entry> next() {
        Optional<Entry> entry = rows.next();
        if (entry.isPresent()) {
            line = entry.get().line();
            return Optional.of(entry.get().row().map(this::renamed).orElse(entry.get()));
        }
        unseen.removeIf(name -> keys.contains(file.columns().get(name)));
        if (unseen.isEmpty() || keys.isEmpty()) {
            return entry;
        }
        String problem = "no row has a column " + unseen + ", which is to be renamed; there are " + keys;
        unseen.clear();
        return Optional.of(Entry.wrong("unknown_column", new DataException(file.path(), line, problem)));
    }

    private Entry renamed(JsonLines.Row row) {
        unseen.removeAll(row.fields().keySet());
        if (!unseen.isEmpty()) {
            keys.addAll(row.fields().keySet());
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Map.Entry<String, Object> field : row.fields().entrySet()) {
            String name = file.columns().getOrDefault(field.getKey(), field.getKey());
            if (fields.containsKey(name)) {
                return Entry.wrong("unknown_column", new DataException(row.file(), row.line(), "has a column '" + name
                        + "' besides the one that is to get this name; rename that one too"));
            }
            fields.put(name, field.getValue());
        }
        return Entry.of(new JsonLines.Row(row.file(), row.line(), fields));
    }

    @Override
    public Optional<TableLayout> layout() {
        return rows.layout().map(layout -> layout.withNames(file.columns()));
    }

    @Override
    public void close() {
        rows.close();
    }
}
