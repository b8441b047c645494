package io.peft4j.serve.store.internal;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Statements of one transaction. Values are always parameters, never part of a statement. */
final class Sql {
    /** A condition: of a project, or of any where there is none; takes the project twice. */
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
        for (int i = 0; i < values.length; i++) {
            Object value = values[i] instanceof Optional<?> optional ? optional.orElse(null) : values[i];
            prepared.setObject(i + 1, value instanceof String text ? storable(text) : value);
        }
        return prepared;
    }

    /**
     * A text as every database takes it. JSON can have the character 0 and halves of characters, which PostgreSQL
     * refuses; a job of whose data an event quotes one would be looked at again for ever.
     */
    private static String storable(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).replace('\0', '\uFFFD');
    }

    static Optional<Long> number(ResultSet row, String column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(value);
    }

    static Optional<String> text(ResultSet row, String column) throws SQLException {
        return Optional.ofNullable(row.getString(column));
    }
}
