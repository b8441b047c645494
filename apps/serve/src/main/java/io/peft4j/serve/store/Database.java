package io.peft4j.serve.store;

import io.peft4j.core.io.Closer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connections to the database, whole transactions on them, and the schema brought up to date. */
final class Database implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    /** In the order in which they run; one that was released never changes. */
    private static final List<String> MIGRATIONS = List.of("001-files-jobs-models-keys.sql",
            "002-projects-and-fences.sql");
    /** Any number that other programs on the same database do not take: "peft" in ASCII. */
    private static final long MIGRATION_LOCK = 0x70656674;
    private static final long WAIT_SECONDS = 30;

    private final String url;
    private final Dialect dialect;
    /** Idle connections; a slot without a connection stands for one that broke. Takes one back without memory. */
    private final BlockingQueue<Slot> free;
    private final int size;

    private static final class Slot {
        private Connection connection;

        /** Throws the connection away; a transaction on it ends so. */
        void close() {
            try (Connection ending = connection) {
                connection = null;
            } catch (SQLException | RuntimeException e) {
                LOG.debug("closing a connection", e);
            }
        }
    }

    /** What is done in a transaction. */
    @FunctionalInterface
    interface Work<T> {
        T run(Sql sql) throws SQLException;
    }

    /**
     * Opens a database.
     *
     * @param whenNew runs where it has no tables yet, before they are made; its exception leaves it so
     */
    Database(String url, Runnable whenNew) {
        this.url = Dialect.url(url);
        this.dialect = Dialect.of(this.url);
        this.size = dialect.connections();
        this.free = new ArrayBlockingQueue<>(size);
        for (int i = 0; i < size; i++) {
            free.add(new Slot());
        }
        try (Closer opened = new Closer()) {
            opened.add(this);
            migrate(whenNew);
            opened.keep();
        }
    }

    Dialect dialect() {
        return dialect;
    }

    /** All of it happens, or nothing; when this has returned, it is kept. */
    <T> T transaction(Work<T> work) {
        Slot slot = take();
        boolean over = false;
        try {
            Connection connection = open(slot);
            dialect.begin(connection);
            try {
                T result = work.run(new Sql(connection));
                dialect.commit(connection);
                over = true;
                return result;
            } catch (SQLException | RuntimeException | Error e) {
                over = rollback(connection, e);
                throw e;
            }
        } catch (SQLException e) {
            throw new StoreException("the database failed: " + e.getMessage(), e);
        } finally {
            try {
                if (!over) {
                    slot.close();
                }
            } finally {
                free.add(slot);
            }
        }
    }

    /** Whether the transaction is surely over: else its connection must not be used again. */
    private boolean rollback(Connection connection, Throwable cause) {
        try {
            dialect.rollback(connection);
            return true;
        } catch (SQLException | RuntimeException | Error e) {
            cause.addSuppressed(e);
            return false;
        }
    }

    private Slot take() {
        try {
            Slot slot = free.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            if (slot == null) {
                throw new StoreException("no connection to the database was free for " + WAIT_SECONDS + " seconds");
            }
            return slot;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("interrupted while waiting for the database", e);
        }
    }

    private Connection open(Slot slot) throws SQLException {
        if (slot.connection == null) {
            slot.connection = dialect.connect(url);
        }
        return slot.connection;
    }

    private void migrate(Runnable whenNew) {
        transaction(sql -> {
            if (dialect == Dialect.POSTGRESQL) {
                // Of several servers that start at once one migrates; CREATE TABLE IF NOT EXISTS alone may fail then.
                sql.first("SELECT pg_advisory_xact_lock(" + MIGRATION_LOCK + ")", row -> true);
            }
            sql.update("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)");
            int done = sql.first("SELECT count(*) AS done FROM migrations", row -> row.getInt("done")).orElse(0);
            if (done == 0) {
                whenNew.run();
            }
            if (done > MIGRATIONS.size()) {
                throw new StoreException("the database has migration " + done + ", and this version knows "
                        + MIGRATIONS.size() + ": it was used by a newer version");
            }
            for (int number = done + 1; number <= MIGRATIONS.size(); number++) {
                String name = MIGRATIONS.get(number - 1);
                for (String statement : dialect.translate(read(name)).split(";\\s*(\\R|$)")) {
                    sql.update(statement);
                }
                sql.update("INSERT INTO migrations (number, name) VALUES (?, ?)", number, name);
                LOG.info("database: migration {}", name);
            }
            return done;
        });
    }

    private static String read(String name) {
        try (InputStream stream = Database.class.getResourceAsStream(name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the migration " + name, e);
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < size; i++) {
            Slot slot = free.poll();
            if (slot != null) {
                slot.close();
            }
        }
    }
}
