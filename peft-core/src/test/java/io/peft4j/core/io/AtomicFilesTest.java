package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    private static final byte[] LARGE = new byte[1_000_000];

    @TempDir
    Path folder;

    @Test
    void createsAndReplacesInNewFolders() throws IOException {
        Path file = folder.resolve("a/b/file.txt");
        AtomicFiles.writeString(file, "first, longer");
        AtomicFiles.writeString(file, "zwölf");
        assertArrayEquals("zwölf".getBytes(StandardCharsets.UTF_8), Files.readAllBytes(file));
        assertEquals(List.of("file.txt"), names(file.getParent()));
    }

    @Test
    void aFullDiskKeepsTheOldFile() throws IOException {
        Path file = Files.writeString(folder.resolve("adapter.bin"), "old");
        for (int room : new int[] {0, 1, 70_000, LARGE.length - 1}) {
            AtomicFiles.Opener disk = temporary -> new FullDisk(new FileOutputStream(temporary.toFile()), room);
            UncheckedIOException e = assertThrows(UncheckedIOException.class,
                    () -> AtomicFiles.write(file, out -> out.write(LARGE), disk));
            assertEquals("Cannot write " + file + ": No space left on device. The previous file is unchanged.",
                    e.getMessage());
            assertEquals("old", Files.readString(file));
            assertEquals(List.of("adapter.bin"), names(folder));
        }
    }

    @Test
    void aFullDiskLeavesNoNewFile() throws IOException {
        Path file = folder.resolve("adapter.bin");
        assertThrows(UncheckedIOException.class, () -> AtomicFiles.write(file, out -> out.write(LARGE),
                temporary -> new FullDisk(new FileOutputStream(temporary.toFile()), 5)));
        assertEquals(List.of(), names(folder));
    }

    @Test
    void theSystemsOwnFullDeviceIsReported() throws IOException {
        Path full = Path.of("/dev/full");
        Assumptions.assumeTrue(Files.exists(full), "only Linux has /dev/full");
        Path file = Files.writeString(folder.resolve("adapter.bin"), "old");
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> AtomicFiles.write(file,
                out -> out.write(LARGE), temporary -> new FileOutputStream(full.toFile())));
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("adapter.bin"), names(folder));
    }

    @Test
    void aDeviceIsNotReplaced() {
        Path device = Path.of("/dev/null");
        Assumptions.assumeTrue(Files.exists(device), "only Unix has /dev/null");
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> AtomicFiles.requireFile(device));
        assertEquals("Cannot write /dev/null: it is a device or a pipe, not a file.", e.getMessage());
    }

    @Test
    void aFileInThePlaceOfTheFolderIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("taken"), "text");
        UncheckedIOException e = assertThrows(UncheckedIOException.class,
                () -> AtomicFiles.writeString(file.resolve("report.html"), "new"));
        assertTrue(e.getMessage().contains(file + " is a file, not a folder"), e.getMessage());
    }

    @Test
    void anExceptionFromTheWriterIsPropagated() throws IOException {
        Path file = Files.writeString(folder.resolve("adapter.bin"), "old");
        IllegalStateException thrown = new IllegalStateException("half way");
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> AtomicFiles.write(file, out -> {
            out.write(LARGE);
            throw thrown;
        }));
        assertSame(thrown, e);
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("adapter.bin"), names(folder));
    }

    @Test
    void groupsOfFilesAreReplacedAtomically() throws IOException {
        Path first = Files.writeString(folder.resolve("a"), "old");
        Path last = Files.writeString(folder.resolve("b"), "old");
        Map<Path, AtomicFiles.Content> failing = new LinkedHashMap<>();
        failing.put(first, AtomicFiles.text("new"));
        failing.put(last, out -> {
            throw new IOException("broken");
        });
        String message = assertThrows(UncheckedIOException.class, () -> AtomicFiles.writeTogether(failing))
                .getMessage();
        assertTrue(message.startsWith("Cannot write " + last + ": broken"), message);
        assertEquals(List.of("old", "old"), List.of(Files.readString(first), Files.readString(last)));
        assertEquals(List.of("a", "b"), names(folder));
        failing.put(last, AtomicFiles.text("new"));
        AtomicFiles.writeTogether(failing);
        assertEquals(List.of("new", "new"), List.of(Files.readString(first), Files.readString(last)));
        assertEquals(List.of("a", "b"), names(folder));
    }

    @Test
    void anInterruptedThreadStillSaves() throws IOException {
        Path file = folder.resolve("adapter.bin");
        Thread.currentThread().interrupt();
        try {
            AtomicFiles.writeBytes(file, LARGE);
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertEquals(LARGE.length, Files.size(file));
    }

    @Test
    void aFolderIsNotAValidTarget() throws IOException {
        Path target = Files.createDirectory(folder.resolve("adapter"));
        UncheckedIOException e = assertThrows(UncheckedIOException.class,
                () -> AtomicFiles.writeString(target, "text"));
        assertTrue(e.getMessage().contains(target + ": it is a folder"), e.getMessage());
        assertTrue(Files.isDirectory(target));
    }

    @Test
    void aFileInPlaceOfTheFolderIsReported() throws IOException {
        Path file = Files.writeString(folder.resolve("output"), "a file");
        Path target = file.resolve("adapter.bin");
        UncheckedIOException e = assertThrows(UncheckedIOException.class,
                () -> AtomicFiles.writeString(target, "text"));
        assertTrue(e.getMessage().startsWith("Cannot write " + target), e.getMessage());
        assertEquals("a file", Files.readString(file));
    }

    @Test
    void aLinkIsReplacedAndItsTargetLeftAlone() throws IOException {
        Path blob = Files.writeString(folder.resolve("blob"), "shared");
        Path link = Files.createSymbolicLink(folder.resolve("link"), blob);
        AtomicFiles.writeString(link, "mine");
        assertEquals("shared", Files.readString(blob));
        assertEquals("mine", Files.readString(link));
        assertFalse(Files.isSymbolicLink(link));
    }

    @Test
    void whatAKilledProcessLeftIsRemovedAndNothingElse() throws IOException {
        AtomicFiles.writeString(folder.resolve("a.json"), "new");
        Files.writeString(folder.resolve(".a.json.0f9d2c1b-3a4e-4d5f-8a6b-7c8d9e0f1a2b.tmp"), "half");
        List<String> others = List.of(".a.json.tmp", "a.0f9d2c1b-3a4e-4d5f-8a6b-7c8d9e0f1a2b.tmp", "a.json");
        for (String other : others) {
            Files.writeString(folder.resolve(other), "mine");
        }
        AtomicFiles.removeLeftovers(folder);
        assertEquals(others, names(folder));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Takes so many bytes, then behaves as a full disk does: part of a write may succeed before it fails. */
    private static final class FullDisk extends OutputStream {
        private final OutputStream out;
        private int room;

        FullDisk(OutputStream out, int room) {
            this.out = out;
            this.room = room;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            int n = Math.min(room, length);
            out.write(bytes, offset, n);
            room -= n;
            if (n < length) {
                throw new IOException("No space left on device");
            }
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
