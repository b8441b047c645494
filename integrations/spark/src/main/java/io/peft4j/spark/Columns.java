package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;

/** Columns of DataFrames by name. */
final class Columns {
    private Columns() {
    }

    /**
     * A column.
     *
     * @throws ConfigurationException when there is none of that name
     */
    static StructField require(Dataset<Row> rows, String name) {
        List<String> names = List.of(rows.schema().fieldNames());
        if (!names.contains(name)) {
            throw new ConfigurationException("there is no column '" + name + "'; "
                    + SimilarNames.sentence(name, names));
        }
        return rows.schema().apply(name);
    }
}
