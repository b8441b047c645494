package io.peft4j.serve.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server finds when it starts: left-over uploads, damaged and lost databases. */
class StoreTest {
    @TempDir
    Path folder;

    private Store open() {
        return Store.open(folder, new Store.Options(Optional.empty(), Duration.ofSeconds(2)));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private StoredFile keep(Store store, String content) throws IOException {
        Path spool = store.files().spool();
        Files.writeString(spool, content);
        StoredFile file = new StoredFile(Ids.next("file-"), "local", "default", "rows.jsonl", "fine-tune",
                content.length(), 7, Optional.empty(), "processed", Optional.empty());
        assertTrue(store.files().add(file, spool, Optional.empty()));
        return file;
    }

    private Path database() {
        return folder.resolve("state.db");
    }

    @Test
    void whatUploadsLeftThatWereCutOffIsRemovedAtTheNextStart() throws IOException {
        StoredFile kept;
        try (Store store = open()) {
            kept = keep(store, "{}\n");
        }
        // As a server that was killed leaves it: its folder without a lock that is held.
        Path left = Files.createDirectories(folder.resolve("uploads/abcdefghijkl"));
        Files.write(left.resolve("MultiPart123456"), new byte[1000]);
        Files.write(folder.resolve("files/MultiPart7"), new byte[1000]);
        Files.write(folder.resolve("files/.upload-8.tmp"), new byte[1000]);
        try (Store store = open()) {
            assertEquals(List.of(kept.id()), names(folder.resolve("files")));
            assertEquals(List.of(store.files().spoolFolder().getFileName().toString()), names(folder.resolve(
                    "uploads")));
        }
        assertEquals(List.of(), names(folder.resolve("uploads")));
    }

    @Test
    void theUploadsOfALivingServerStay() throws IOException {
        try (Spool living = Spool.open(folder.resolve("uploads"))) {
            Files.writeString(living.folder().resolve("MultiPart1"), "on its way");
            try (Spool other = Spool.open(folder.resolve("uploads"))) {
                assertTrue(Files.exists(living.folder().resolve("MultiPart1")));
            }
        }
    }

    @Test
    void aDamagedDatabaseIsRefusedAndLeftAsItIs() throws IOException {
        try (Store store = open()) {
            for (int i = 0; i < 50; i++) {
                keep(store, "{}\n");
            }
        }
        byte[] whole = Files.readAllBytes(database());
        byte[] damaged = whole.clone();
        for (int i = 0; i < damaged.length; i += 97) {
            damaged[i] ^= (byte) 0xff;
        }
        requireRefused(damaged);
        requireRefused(Arrays.copyOf(whole, whole.length / 2));
        // The pages of rows and indexes alone, which SQLite would read without a word.
        byte[] pages = whole.clone();
        for (int i = 8192; i < pages.length; i += 97) {
            pages[i] ^= (byte) 0xff;
        }
        requireRefused(pages);
        Files.write(database(), whole);
        open().close();
    }

    private void requireRefused(byte[] content) throws IOException {
        Files.write(database(), content);
        String message = assertThrows(DamagedStoreException.class, this::open).getMessage();
        assertTrue(message.startsWith(database() + " is damaged ("), message);
        assertTrue(message.endsWith("; restore it from a copy, or build it again from the folders of files and jobs"),
                message);
        assertThrows(DamagedStoreException.class, () -> Store.openBeside(folder, Optional.empty()));
        assertArrayEquals(content, Files.readAllBytes(database()));
    }

    @Test
    void aRowThatCannotBeReadIsDamage() throws SQLException {
        open().close();
        try (Statement statement = DriverManager.getConnection(Dialect.sqlite(database())).createStatement()) {
            statement.execute("INSERT INTO jobs (id, owner, base, status, request, hyperparameters, created_at) VALUES "
                    + "('ftjob-1', 'local', 'tiny', 'queued', '{\"model\": ', '{}', 1)");
            statement.getConnection().close();
        }
        String message = assertThrows(DamagedStoreException.class, this::open).getMessage();
        assertTrue(message.contains("a row cannot be read"), message);
    }

    @Test
    void anEmptyDatabaseBesideFullFoldersIsRefused() throws IOException {
        try (Store store = open()) {
            keep(store, "{}\n");
        }
        for (boolean missing : List.of(false, true)) {
            if (missing) {
                Files.delete(database());
            } else {
                Files.write(database(), new byte[0]);
            }
            for (int attempt = 0; attempt < 2; attempt++) {
                String message = assertThrows(DamagedStoreException.class, this::open).getMessage();
                assertTrue(message.startsWith("the database is empty, but " + folder + " holds 0 folders of jobs and "
                        + "1 files"), message);
            }
        }
    }

    @Test
    void aDatabaseIsBuiltAgainFromTheFolders() throws IOException {
        StoredFile file;
        StoredFile gone;
        KeyTable.Made key;
        KeyTable.Made revoked;
        try (Store store = open()) {
            file = keep(store, "{}\n");
            gone = keep(store, "{}\n");
            store.files().delete(gone.id());
            key = store.keys().add("team", Optional.of("red"), ApiKey.Limits.NONE, 5);
            revoked = store.keys().add("old", Optional.empty(), ApiKey.Limits.NONE, 6);
            store.keys().revoke("old", 8);
        }
        byte[] damaged = new byte[5000];
        Files.write(database(), damaged);
        assertThrows(DamagedStoreException.class, this::open);
        assertEquals(new Rebuild.Found(1, 0, 0, 2), Rebuild.run(folder, Optional.empty()));
        assertArrayEquals(damaged, Files.readAllBytes(folder.resolve("state.db.damaged-1")));
        try (Store store = open()) {
            assertEquals(Optional.of(file), store.files().find(file.id(), Optional.of("default"), 7));
            assertFalse(store.files().find(gone.id(), Optional.empty(), 7).isPresent());
            assertEquals(Optional.of(key.kept()), store.keys().open(key.secret()));
            assertEquals(Optional.empty(), store.keys().open(revoked.secret()), "a revoked key opens nothing");
        }
    }

    @Test
    void whatWasKeptBeforeThereWereRecordsIsRecordedAtTheNextStart() throws IOException {
        StoredFile file;
        try (Store store = open()) {
            file = keep(store, "{}\n");
        }
        Files.delete(folder.resolve("records").resolve(file.id() + ".json"));
        Files.delete(folder.resolve("records"));
        StoreException none = assertThrows(StoreException.class, () -> Rebuild.run(folder, Optional.empty()));
        assertTrue(none.getMessage().contains("has no folder 'records'"), none.getMessage());
        open().close();
        Rebuild.run(folder, Optional.empty());
        try (Store store = open()) {
            assertEquals(Optional.of(file), store.files().find(file.id(), Optional.empty(), 7));
        }
    }
}
