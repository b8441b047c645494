package io.peft4j.serve.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseTest {
    @TempDir
    Path folder;

    @Test
    void anErrorUndoesItsTransactionAndTheNextOneWrites() {
        try (Database database = new Database(Dialect.sqlite(folder.resolve("state.db")), () -> {
        })) {
            database.transaction(sql -> sql.update("CREATE TABLE things (name TEXT)"));
            for (int i = 0; i < 20; i++) {
                assertThrows(StackOverflowError.class, () -> database.transaction(sql -> {
                    sql.update("INSERT INTO things (name) VALUES (?)", "lost");
                    throw new StackOverflowError();
                }));
            }
            database.transaction(sql -> sql.update("INSERT INTO things (name) VALUES (?)", "kept"));
            assertEquals("1 kept", database.transaction(sql -> sql.first("SELECT count(*) AS n, max(name) AS name "
                    + "FROM things", row -> row.getInt("n") + " " + row.getString("name"))).orElseThrow());
        }
    }

    /** SQLite has one connection here, which would stay in the transaction that did not end. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aConnectionThatCannotRollBackIsThrownAway(boolean error) {
        try (Database database = new Database(Dialect.sqlite(folder.resolve("state.db")), () -> {
        })) {
            database.transaction(sql -> sql.update("CREATE TABLE things (name TEXT)"));
            try (Faults faults = Faults.where(Step.SQL, error, what -> what.contains("ROLLBACK"))) {
                IllegalStateException failed = assertThrows(IllegalStateException.class, () -> database
                        .transaction(sql -> {
                            sql.update("INSERT INTO things (name) VALUES (?)", "lost");
                            throw new IllegalStateException("why");
                        }));
                assertEquals("why injected", failed.getMessage() + " " + failed.getSuppressed()[0].getMessage());
            }
            database.transaction(sql -> sql.update("INSERT INTO things (name) VALUES (?)", "kept"));
            assertEquals("1 kept", database.transaction(sql -> sql.first("SELECT count(*) AS n, max(name) AS name "
                    + "FROM things", row -> row.getInt("n") + " " + row.getString("name"))).orElseThrow());
        }
    }
}
