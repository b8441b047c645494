package io.peft4j.spark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import scala.jdk.javaapi.CollectionConverters;

/** Rows of Spark as the readers of PEFT4J take them: maps, lists, texts and numbers, as from JSON. */
final class SparkRows {
    private SparkRows() {
    }

    /** The columns of a row by name; null stands for a missing field and is left out. */
    public static Map<String, Object> of(Row row) {
        Map<String, Object> fields = new LinkedHashMap<>();
        String[] names = row.schema().fieldNames();
        for (int i = 0; i < names.length; i++) {
            if (!row.isNullAt(i)) {
                fields.put(names[i], value(row.get(i)));
            }
        }
        return fields;
    }

    /** A value of a column: structs and maps become maps, arrays lists. */
    public static Object value(Object value) {
        if (value instanceof Row struct) {
            return of(struct);
        }
        if (value instanceof scala.collection.Map<?, ?> map) {
            Map<String, Object> fields = new LinkedHashMap<>();
            CollectionConverters.asJava(map).forEach((key, item) -> {
                if (item != null) {
                    fields.put(String.valueOf(key), value(item));
                }
            });
            return fields;
        }
        if (value instanceof scala.collection.Seq<?> sequence) {
            List<Object> items = new ArrayList<>();
            CollectionConverters.asJava(sequence).forEach(item -> items.add(value(item)));
            return items;
        }
        return value;
    }
}
