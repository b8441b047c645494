package io.peft4j.serve.store;

import io.peft4j.core.io.Closer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;

/** The databases that the schema is kept in, and where they differ. */
enum Dialect {
    /** A file; writers take turns. */
    SQLITE("INTEGER PRIMARY KEY AUTOINCREMENT", "", "", 1),
    /** A server that others share. */
    POSTGRESQL("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", " FOR UPDATE SKIP LOCKED", " FOR UPDATE", 8);

    private static final String POSTGRESQL_PREFIX = "jdbc:postgresql:";

    private final String sequence;
    private final String skipLocked;
    private final String lock;
    private final int connections;

    Dialect(String sequence, String skipLocked, String lock, int connections) {
        this.sequence = sequence;
        this.skipLocked = skipLocked;
        this.lock = lock;
        this.connections = connections;
    }

    static Dialect of(String url) {
        if (url.startsWith(POSTGRESQL_PREFIX)) {
            return POSTGRESQL;
        }
        if (url.startsWith("jdbc:sqlite:")) {
            return SQLITE;
        }
        throw new StoreException("the database must be jdbc:postgresql://HOST/DATABASE or jdbc:sqlite:FILE");
    }

    /** An address as people write it. */
    static String url(String given) {
        return given.startsWith("postgresql:") || given.startsWith("postgres:")
                ? POSTGRESQL_PREFIX + given.substring(given.indexOf(':') + 1) : given;
    }

    static String sqlite(Path file) {
        return "jdbc:sqlite:" + file.toAbsolutePath();
    }

    Connection connect(String url) throws SQLException {
        Properties properties = new Properties();
        if (this == POSTGRESQL) {
            properties.setProperty("connectTimeout", "5");
            properties.setProperty("socketTimeout", "30");
            properties.setProperty("ApplicationName", "peft4j");
        }
        try (Closer opened = new Closer()) {
            Connection connection = opened.add(DriverManager.getConnection(url, properties));
            if (this == POSTGRESQL) {
                connection.setAutoCommit(false);
            } else {
                // What was committed is on the disk, whatever happens to process or machine.
                for (String pragma : List.of("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL",
                        "foreign_keys = ON")) {
                    execute(connection, "PRAGMA " + pragma);
                }
            }
            opened.keep();
            return connection;
        }
    }

    /**
     * Begins a transaction. On SQLite as one that writes: one that has read first and then cannot write, since another
     * process did, would have to be repeated.
     */
    void begin(Connection connection) throws SQLException {
        if (this == SQLITE) {
            execute(connection, "BEGIN IMMEDIATE");
        }
    }

    void commit(Connection connection) throws SQLException {
        if (this == SQLITE) {
            execute(connection, "COMMIT");
        } else {
            connection.commit();
        }
    }

    void rollback(Connection connection) throws SQLException {
        if (this == SQLITE) {
            execute(connection, "ROLLBACK");
        } else {
            connection.rollback();
        }
    }

    private static void execute(Connection connection, String command) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(command);
        }
    }

    /** How many connections are kept. */
    int connections() {
        return connections;
    }

    /** The migration for this database. */
    String translate(String sql) {
        return sql.replace("{{sequence}}", sequence);
    }

    /** Ends a query of rows that no other transaction is to take. */
    String skipLocked() {
        return skipLocked;
    }

    /** Ends a query of rows that no other transaction is to change before this one ends; waits for one that does. */
    String lock() {
        return lock;
    }
}
