package io.peft4j.serve.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;

/**
 * Looks, before anything is served, whether the database is whole and goes with the folders beside it: a damaged one
 * would fail in the middle of requests, and an empty one hide all files and jobs.
 */
final class StoreCheck {
    private static final String WHOLE = "ok";

    private StoreCheck() {
    }

    /** The pages and indexes of a file, before it is written to. */
    static void requireWholeFile(Path file) {
        if (!Files.exists(file)) {
            return;
        }
        try (Connection connection = DriverManager.getConnection(Dialect.sqlite(file));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("PRAGMA integrity_check(1)")) {
            String found = rows.next() ? rows.getString(1) : "no answer";
            if (!found.equals(WHOLE)) {
                throw damaged(file.toString(), found);
            }
        } catch (SQLException e) {
            throw damaged(file.toString(), e.getMessage());
        }
    }

    /** A database that is new, where there is something that an earlier one told of. */
    static void requireNothingKept(Path folder) {
        long jobs = count(folder.resolve("jobs"));
        long files = count(folder.resolve("files"));
        if (jobs + files > 0) {
            throw new DamagedStoreException("the database is empty, but " + folder + " holds " + jobs
                    + " folders of jobs and " + files + " files");
        }
    }

    /** Every row can be read, and jobs have not been emptied out. */
    static void requireReadable(Database database, Path folder) {
        try {
            long jobs = database.transaction(sql -> {
                KeyTable.all(sql);
                sql.list("SELECT * FROM files", Sql.of(StoredFile::of));
                sql.list("SELECT * FROM models", Sql.of(StoredModel::of));
                sql.list("SELECT * FROM checkpoints", Sql.of(JobCheckpoint::of));
                return (long) sql.list("SELECT * FROM jobs", Sql.of(Job::of)).size();
            });
            if (jobs == 0 && count(folder.resolve("jobs")) > 0) {
                requireNothingKept(folder);
            }
        } catch (IllegalStateException | IllegalArgumentException | ClassCastException | NullPointerException e) {
            throw damaged(folder + "'s database", "a row cannot be read: " + e.getMessage());
        }
    }

    private static DamagedStoreException damaged(String what, String found) {
        return new DamagedStoreException(what + " is damaged (" + found.strip().lines().reduce((first, last) -> last)
                .orElse("") + ")");
    }

    private static long count(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Ids.isValid(entry.getFileName().toString())).count();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder, e);
        }
    }
}
