package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.NativeMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {
    private static final long GB = 1L << 30;

    @TempDir
    Path folder;

    @Test
    void readsOnBothSidesOfEveryWindowOfALargeFile() throws IOException {
        // The file is sparse: it takes a few blocks on the disk.
        Path path = folder.resolve("large");
        long size = 5 * GB + 100;
        long[] places = {0, GB - 4, 2 * GB - 4, 2 * GB - 1, 3 * GB - 4, 4 * GB - 3, size - 8};
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
            for (int i = 0; i < places.length; i++) {
                file.seek(places[i]);
                file.write(eight(i));
            }
        }
        try (MappedFile mapped = MappedFile.open(path)) {
            assertEquals(size, mapped.size());
            for (int i = places.length - 1; i > 3; i--) {
                byte[] bytes = new byte[10];
                mapped.get(places[i], bytes, 1, 8);
                assertArrayEquals(pad(eight(i)), bytes);
                byte[] raw = new byte[8];
                NativeMemory.read(mapped.address(places[i], 8).orElseThrow(), raw, 0, 8);
                assertArrayEquals(eight(i), raw);
                ByteBuffer view = mapped.view(places[i], 8);
                assertEquals(i + 1, view.get(0));
            }
            byte[] long1 = new byte[8];
            mapped.get(GB - 4, long1, 0, 8);
            assertArrayEquals(eight(1), long1);
            assertTrue(mapped.address(GB / 2, GB).isPresent());
            assertTrue(mapped.address(GB / 2, 3 * GB).isEmpty());
            // Longer than what its window holds of it: a mapping of its own.
            byte[] two = new byte[8];
            long address = mapped.address(3 * GB - 4, 2 * GB - 4096).orElseThrow();
            NativeMemory.read(address, two, 0, 8);
            assertArrayEquals(eight(4), two);
            NativeMemory.read(address + GB + 1, two, 0, 8);
            assertArrayEquals(eight(5), two);
        }
    }

    @Test
    void severalReadersOfManyPlacesGetWhatStandsThere() throws Exception {
        // More pieces than are mapped at a time, so that they are mapped and unmapped under the readers.
        int places = 6 * Math.max(8, 2 * Runtime.getRuntime().availableProcessors());
        Path path = folder.resolve("pieces");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            for (int i = 0; i < places; i++) {
                file.seek(((long) i + 1 << 24) - 4);
                file.write(eight(i));
            }
        }
        ExecutorService readers = Executors.newFixedThreadPool(4);
        try (MappedFile mapped = MappedFile.open(path)) {
            List<Future<?>> done = new ArrayList<>();
            for (int step : new int[] {1, 5, 7, 11}) {
                done.add(readers.submit(() -> {
                    for (int i = 0; i < 4 * places; i++) {
                        byte[] bytes = new byte[8];
                        mapped.get(((long) (i * step % places) + 1 << 24) - 4, bytes, 0, 8);
                        assertArrayEquals(eight(i * step % places), bytes);
                    }
                }));
            }
            for (Future<?> reader : done) {
                reader.get();
            }
        } finally {
            readers.shutdownNow();
        }
    }

    @Test
    void checksRanges() throws IOException {
        Path path = Files.write(folder.resolve("f"), new byte[100]);
        try (MappedFile mapped = MappedFile.open(path)) {
            byte[] target = new byte[10];
            for (long[] range : new long[][] {{-1, 5}, {0, 101}, {96, 5}, {101, 0}, {Long.MAX_VALUE, 5}, {0, -1}}) {
                assertThrows(IndexOutOfBoundsException.class, () -> mapped.get(range[0], target, 0, (int) range[1]));
                assertThrows(IndexOutOfBoundsException.class, () -> mapped.view(range[0], (int) range[1]));
                assertThrows(IndexOutOfBoundsException.class, () -> mapped.address(range[0], range[1]));
            }
            assertThrows(IndexOutOfBoundsException.class, () -> mapped.address(1, Long.MAX_VALUE));
            assertThrows(IndexOutOfBoundsException.class, () -> mapped.get(0, target, 5, 6));
        }
    }

    @Test
    void viewsOutliveTheFileAndReadersGetAnError() throws IOException {
        Path path = Files.write(folder.resolve("f"), eight(7));
        MappedFile mapped = MappedFile.open(path);
        ByteBuffer view = mapped.view(2, 4);
        mapped.get(0, new byte[8], 0, 8);
        mapped.close();
        mapped.close();
        assertEquals(8, view.get(3));
        assertTrue(view.isReadOnly());
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> mapped.get(0, new byte[8], 0, 8));
        assertTrue(e.getMessage().contains("is closed"), e.getMessage());
        assertThrows(IllegalStateException.class, () -> mapped.view(0, 1));
        assertThrows(IllegalStateException.class, () -> mapped.address(0, 1));
    }

    @Test
    void closingWhileOthersReadGivesThemAnError() throws Exception {
        Path path = Files.write(folder.resolve("f"), new byte[1 << 16]);
        ExecutorService readers = Executors.newFixedThreadPool(3);
        try {
            for (int round = 0; round < 50; round++) {
                MappedFile mapped = MappedFile.open(path);
                CountDownLatch reading = new CountDownLatch(3);
                List<Future<String>> ends = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    ends.add(readers.submit(() -> readUntilClosed(mapped, reading)));
                }
                reading.await();
                mapped.close();
                for (Future<String> end : ends) {
                    assertTrue(end.get().contains("is closed"));
                }
            }
        } finally {
            readers.shutdownNow();
        }
    }

    private static String readUntilClosed(MappedFile mapped, CountDownLatch reading) {
        byte[] bytes = new byte[1 << 16];
        while (true) {
            try {
                mapped.get(0, bytes, 0, bytes.length);
                reading.countDown();
            } catch (IllegalStateException e) {
                return e.getMessage();
            }
        }
    }

    @Test
    void anEmptyFileIsMapped() throws IOException {
        Path path = Files.createFile(folder.resolve("empty"));
        try (MappedFile mapped = MappedFile.open(path)) {
            assertEquals(0, mapped.view(0, 0).remaining());
            assertFalse(mapped.address(0, 0).isPresent());
        }
    }

    @Test
    void anInterruptedThreadReadsAndStaysInterrupted() throws IOException {
        Path path = Files.write(folder.resolve("small"), eight(0));
        byte[] bytes = new byte[8];
        Thread.currentThread().interrupt();
        try (MappedFile mapped = MappedFile.open(path)) {
            mapped.get(0, bytes, 0, 8);
            assertEquals(1, mapped.view(3, 1).get(0));
            assertTrue(mapped.address(0, 8).isPresent());
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertArrayEquals(eight(0), bytes);
    }

    @Test
    void unopenableFilesAreReported() {
        Path missing = folder.resolve("missing");
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> MappedFile.open(missing));
        assertEquals("Cannot open " + missing + ": no such file", e.getMessage());
        e = assertThrows(UncheckedIOException.class, () -> MappedFile.open(folder));
        assertEquals("Cannot open " + folder + ": it is a folder", e.getMessage());
    }

    private static byte[] eight(int i) {
        byte v = (byte) (i + 1);
        return new byte[] {v, v, v, v, v, v, v, v};
    }

    private static byte[] pad(byte[] eight) {
        byte[] ten = new byte[10];
        System.arraycopy(eight, 0, ten, 1, 8);
        return ten;
    }
}
