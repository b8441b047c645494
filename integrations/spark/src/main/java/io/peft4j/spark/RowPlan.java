package io.peft4j.spark;

import io.peft4j.core.error.DataException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.format.DataRow;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * What a row asks for, and of which adapter.
 *
 * @param forms the columns that are read, by the names that the readers of rows have for them, such as {@code text}
 * @param adapter the adapter of all rows; the column with its name if there is one
 * @param byRow whether {@code adapter} is such a column
 * @param failing whether a row that cannot be answered ends the job
 */
record RowPlan(LinkedHashMap<String, String> forms, String adapter, boolean byRow, boolean failing)
        implements
            Serializable {
    private static final Path ROW = Path.of("row");

    /** The columns as a row of data; a null is a fault. */
    DataRow read(Row row) {
        Map<String, Object> fields = new LinkedHashMap<>();
        DataRow read = new DataRow(ROW, 0, fields);
        forms.forEach((form, column) -> {
            Object value = row.getAs(column);
            if (value == null) {
                throw read.wrong("\"" + column + "\" is null");
            }
            fields.put(form, SparkRows.value(value));
        });
        return read;
    }

    /** The name of a row's adapter. */
    String adapterOf(Row row) {
        String name = byRow ? row.getAs(adapter) : adapter;
        return name == null || name.isEmpty() ? PeftModel.BASE : name;
    }

    static Row with(Row row, List<?> columns) {
        Object[] values = Arrays.copyOf(values(row), row.length() + columns.size() + 1);
        for (int i = 0; i < columns.size(); i++) {
            values[row.length() + i] = columns.get(i);
        }
        return RowFactory.create(values);
    }

    /**
     * A row whose new columns are null but for the last one, which says why.
     *
     * @throws PeftException the fault itself, where faults end the job
     */
    Row without(Row row, int columns, PeftException fault) {
        if (failing) {
            throw fault;
        }
        Object[] values = Arrays.copyOf(values(row), row.length() + columns + 1);
        values[values.length - 1] = fault instanceof DataException data ? data.problem() : fault.getMessage();
        return RowFactory.create(values);
    }

    private static Object[] values(Row row) {
        Object[] values = new Object[row.length()];
        Arrays.setAll(values, row::get);
        return values;
    }
}
