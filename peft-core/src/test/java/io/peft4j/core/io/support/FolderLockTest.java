package io.peft4j.core.io.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("jdk")
class FolderLockTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve(FolderLock.FILE);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** The words of a lock that this process holds: process, host, time, a number of its own. */
    private String[] words() throws IOException {
        try (FolderLock lock = FolderLock.take(folder)) {
            return Files.readString(file()).strip().split(" ");
        }
    }

    private void write(String process, String host, Instant since) throws IOException {
        Files.writeString(file(), process + " " + host + " " + since + " 123\n");
    }

    private static String refusal(Path folder) {
        String message = assertThrows(ConfigurationException.class, () -> FolderLock.take(folder)).getMessage();
        assertEquals(message, assertThrows(ConfigurationException.class, () -> FolderLock.requireFree(folder))
                .getMessage());
        return message;
    }

    @Test
    void aFolderHasOneOwnerInAProcess() throws IOException {
        FolderLock.requireFree(folder);
        try (FolderLock lock = FolderLock.take(folder)) {
            String message = refusal(folder);
            assertTrue(message.startsWith(folder + " is being written to by this process since 20"), message);
        }
        assertEquals(List.of(), names(folder));
        FolderLock.take(folder).close();
    }

    @Test
    void aLivingProcessKeepsItsFolder() throws Exception {
        String[] mine = words();
        Process other = new ProcessBuilder("sleep", "60").start();
        try {
            write(String.valueOf(other.pid()), mine[1], Instant.now());
            String message = refusal(folder);
            assertTrue(message.startsWith(folder + " is being written to by process " + other.pid() + " since "),
                    message);
            assertTrue(message.endsWith("; wait until it has ended, or use another folder. If that process is "
                    + "unrelated, delete " + file()), message);
        } finally {
            other.destroyForcibly().waitFor();
        }
        try (FolderLock taken = FolderLock.take(folder)) {
            assertEquals(mine[0], Files.readString(file()).split(" ")[0]);
        }
        assertEquals(List.of(), names(folder));
    }

    @Test
    void aProcessThatHasTheNumberOfADeadOneDoesNotKeepIts() throws IOException {
        String[] mine = words();
        write(mine[0], mine[1], ProcessHandle.current().info().startInstant().orElseThrow().minusSeconds(60));
        FolderLock.requireFree(folder);
        FolderLock.take(folder).close();
        assertEquals(List.of(), names(folder));
    }

    @Test
    void anotherHostsLockIsRemovedByHand() throws IOException {
        write("1", "another-host", Instant.parse("2026-01-02T03:04:05Z"));
        assertEquals(folder + " is being written to by process 1 on the host another-host since "
                + "2026-01-02T03:04:05Z. If that process has ended, delete " + file()
                + "; otherwise use another folder", refusal(folder));
        Files.delete(file());
        FolderLock.take(folder).close();
    }

    @Test
    void aLockThatWasNeverFilledIsOfADeadProcess() throws IOException {
        for (String content : List.of("", "12", "x y z u", "12 host yesterday 1")) {
            Files.writeString(file(), content);
            FolderLock.take(folder).close();
            assertEquals(List.of(), names(folder), content);
        }
    }

    @Test
    void ofManyWhoFindADeadLockOneTakesIt() throws Exception {
        String[] mine = words();
        for (int round = 0; round < 20; round++) {
            write("4194305", mine[1], Instant.now());
            AtomicInteger owners = new AtomicInteger();
            CountDownLatch all = new CountDownLatch(8);
            List<Thread> threads = IntStream.range(0, 8).mapToObj(i -> new Thread(() -> {
                all.countDown();
                try {
                    all.await();
                    FolderLock.take(folder);
                    owners.incrementAndGet();
                } catch (ConfigurationException e) {
                    // Another has it.
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            })).toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(1, owners.get());
            assertEquals(List.of(FolderLock.FILE), names(folder));
        }
    }

    @Test
    void anotherOwnersLockIsLeft() throws IOException {
        FolderLock lock = FolderLock.take(folder);
        Files.writeString(file(), "1 another-host 2026-01-02T03:04:05Z 9");
        lock.close();
        assertTrue(Files.exists(file()));
    }

    @Test
    void aFolderThatIsNotThereIsFreeAndCannotBeLocked() {
        Path none = folder.resolve("none");
        FolderLock.requireFree(none);
        String message = assertThrows(UncheckedIOException.class, () -> FolderLock.take(none)).getMessage();
        assertTrue(message.startsWith("Cannot write to " + none), message);
        assertFalse(Files.exists(none));
    }
}
