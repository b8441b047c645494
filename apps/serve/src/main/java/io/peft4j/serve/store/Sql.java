package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Statements of one transaction. Values are always parameters, never part of a statement. */
final class Sql {
    /** A condition: of a project, or of any if there is none; takes the project twice. */
    static final String OF_PROJECT = "(CAST(? AS TEXT) IS NULL OR project = ?)";

    private final Connection connection;

    Sql(Connection connection) {
        this.connection = connection;
    }

    /** Makes an object of a row. */
    @FunctionalInterface
    interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    /** Changes rows; gives how many. */
    int update(String statement, Object... values) throws SQLException {
        try (PreparedStatement prepared = prepare(statement, values)) {
            return prepared.executeUpdate();
        }
    }

    /** All rows. */
    <T> List<T> list(String statement, Row<T> row, Object... values) throws SQLException {
        try (PreparedStatement prepared = prepare(statement, values); ResultSet rows = prepared.executeQuery()) {
            List<T> all = new ArrayList<>();
            while (rows.next()) {
                all.add(row.of(rows));
            }
            return all;
        }
    }

    /** The first row, if there is one. */
    <T> Optional<T> first(String statement, Row<T> row, Object... values) throws SQLException {
        return list(statement, row, values).stream().findFirst();
    }

    private PreparedStatement prepare(String statement, Object... values) throws SQLException {
        PreparedStatement prepared = connection.prepareStatement(statement);
        try {
            for (int i = 0; i < values.length; i++) {
                Object value = values[i] instanceof Optional<?> optional ? optional.orElse(null) : values[i];
                prepared.setObject(i + 1, value instanceof String text ? storable(text) : value);
            }
            return prepared;
        } catch (SQLException | RuntimeException | Error e) {
            prepared.close();
            throw e;
        }
    }

    /**
     * A text as every database takes it. JSON can have the character 0 and halves of characters, which PostgreSQL
     * refuses; a job of whose data an event quotes one would be looked at again for ever.
     */
    private static String storable(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).replace('\0', '\uFFFD');
    }

    /** Adds a row that has the values of an object by their columns, unless the end says otherwise; gives how many. */
    int insert(String table, ObjectNode row, String end) throws SQLException {
        List<String> columns = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        row.properties().forEach(field -> {
            columns.add(field.getKey());
            values.add(value(field.getValue()));
        });
        return update("INSERT INTO " + table + " (" + String.join(", ", columns) + ") VALUES ("
                + String.join(", ", Collections.nCopies(columns.size(), "?")) + ")" + end, values.toArray());
    }

    private static Object value(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> value.textValue();
            case NUMBER -> value.longValue();
            case BOOLEAN -> value.booleanValue() ? 1 : 0;
            case NULL -> Optional.empty();
            default -> Json.text(value);
        };
    }

    /** Makes an object of all columns of a row. */
    static <T> Row<T> of(Function<JsonNode, T> reader) {
        return row -> {
            ObjectNode values = Json.object();
            for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                values.set(row.getMetaData().getColumnLabel(i), Json.value(row.getObject(i)));
            }
            return reader.apply(values);
        };
    }

    static Optional<Long> number(JsonNode row, String column) {
        return Optional.of(row.path(column)).filter(JsonNode::isNumber).map(JsonNode::longValue);
    }

    /** A text; null where the column is, and a failure if it is missing. */
    static String text(JsonNode row, String column) {
        return row.get(column).textValue();
    }

    /** A value that is kept as text in the database, and as it is elsewhere. */
    static JsonNode json(JsonNode row, String column) {
        JsonNode value = row.get(column);
        return value.isTextual() ? Json.stored(value.textValue()) : value;
    }
}
