package io.peft4j.serve.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
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
    private static final int ALIVE_SECONDS = 5;

    private final String url;
    private final Dialect dialect;
    /** Idle connections; a slot without a connection stands for one that broke. */
    private final BlockingQueue<Slot> free = new LinkedBlockingQueue<>();
    private final int size;

    private static final class Slot {
        private Connection connection;
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
        for (int i = 0; i < size; i++) {
            free.add(new Slot());
        }
        boolean complete = false;
        try {
            migrate(whenNew);
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    Dialect dialect() {
        return dialect;
    }

    /** All of it happens, or nothing; when this has returned, it is kept. */
    <T> T transaction(Work<T> work) {
        Slot slot = take();
        boolean broken = true;
        try {
            Connection connection = open(slot);
            dialect.begin(connection);
            T result;
            try {
                result = work.run(new Sql(connection));
                dialect.commit(connection);
            } catch (SQLException | RuntimeException | Error e) {
                rollback(connection, e);
                throw e;
            }
            broken = false;
            return result;
        } catch (SQLException e) {
            throw new StoreException("the database failed: " + e.getMessage(), e);
        } finally {
            if (broken) {
                discardIfDead(slot);
            }
            free.add(slot);
        }
    }

    private void rollback(Connection connection, Throwable cause) {
        try {
            dialect.rollback(connection);
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    private static void discardIfDead(Slot slot) {
        try {
            if (slot.connection != null && !slot.connection.isValid(ALIVE_SECONDS)) {
                slot.connection.close();
                slot.connection = null;
            }
        } catch (SQLException e) {
            LOG.debug("closing a broken connection", e);
            slot.connection = null;
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
            try {
                if (slot != null && slot.connection != null) {
                    slot.connection.close();
                }
            } catch (SQLException e) {
                LOG.debug("closing the database", e);
            }
        }
    }
}
