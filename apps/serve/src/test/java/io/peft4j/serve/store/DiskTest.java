package io.peft4j.serve.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class DiskTest {
    private static final long MUCH = 1L << 40;

    @TempDir
    Path folder;

    /** What the system and SQLite themselves say. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void theFailureOfADiskThatIsFullIsKnown() {
        IOException full = assertThrows(IOException.class, () -> {
            try (OutputStream out = new FileOutputStream("/dev/full")) {
                out.write(new byte[10]);
            }
        });
        assertTrue(Disk.isFull(full));
        assertTrue(Disk.isFull(new IllegalStateException("cannot save", new UncheckedIOException("x", full))));
        assertFalse(Disk.isFull(new IOException("Permission denied")));
        try (Database database = new Database(Dialect.sqlite(folder.resolve("state.db")), () -> {
        })) {
            StoreException bounded = assertThrows(StoreException.class, () -> database.transaction(sql -> {
                sql.list("PRAGMA max_page_count = 1", row -> true);
                sql.update("CREATE TABLE much (text TEXT)");
                return sql.update("INSERT INTO much VALUES (?)", "x".repeat(100_000));
            }));
            assertTrue(Disk.isFull(bounded), bounded.getMessage());
        }
    }

    @Test
    void itIsFullNearItsEndAndTakesWhatFits() {
        AtomicLong usable = new AtomicLong(MUCH);
        Disk disk = new Disk(folder, usable::get);
        disk.requireRoom(1000);
        assertThrows(Disk.FullException.class, () -> disk.requireRoom(MUCH));
        assertFalse(disk.isFull(), "it had no room for that, but has for others");
        usable.set(1000);
        assertTrue(disk.look());
        assertThrows(Disk.FullException.class, () -> disk.requireRoom(0));
        usable.set(MUCH);
        assertFalse(disk.look());
    }

    /** A user's part of a disk ends without the system telling how much of it is left. */
    @Test
    void afterAWriteThatFailedAWriteTellsThatThereIsRoom() {
        Disk disk = new Disk(folder, () -> MUCH);
        assertTrue(disk.note(new IOException("Disk quota exceeded")));
        assertTrue(disk.isFull());
        assertFalse(disk.look());
        Disk gone = new Disk(folder.resolve("nowhere"), () -> MUCH);
        gone.note(new IOException("No space left on device"));
        assertTrue(gone.look(), "what cannot be written is full");
        assertFalse(disk.note(new IOException("Permission denied")));
        assertEquals(false, disk.isFull());
    }
}
