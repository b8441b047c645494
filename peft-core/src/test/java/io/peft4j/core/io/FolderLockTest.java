package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.JavaPrograms;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.LockOwner.ProcessMark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    private void write(LockOwner owner) throws IOException {
        Files.writeString(file(), owner.content());
    }

    private static LockOwner ofProcess(long pid, String mark) {
        LockOwner mine = LockOwner.current();
        return new LockOwner(pid, mine.host(), mine.since(), mine.token(), mark);
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

    /** As one on a network that has stalled. */
    @Test
    void aFolderThatDoesNotAnswerHoldsUpNoOther(@TempDir Path stalled) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        CompletableFuture<FolderLock> waiting = CompletableFuture.supplyAsync(() -> FolderLock.take(stalled,
                (channel, shared) -> {
                    asked.countDown();
                    try {
                        answer.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return FolderLock.Answer.FREE;
                }), task -> new Thread(task, "peft4j-test-stalled").start());
        asked.await();
        try {
            CompletableFuture.runAsync(() -> {
                FolderLock.requireFree(folder);
                FolderLock.take(folder).close();
            }, task -> new Thread(task, "peft4j-test-other").start()).get(30, TimeUnit.SECONDS);
        } finally {
            answer.countDown();
        }
        waiting.get().close();
        assertEquals(List.of(), names(stalled));
    }

    /** What a file says of times cannot free a folder: clocks are set, and the number of a process is used again. */
    @Test
    void aLivingProcessKeepsItsFolderWhateverItsFileSays() throws Exception {
        Process other = holder();
        try {
            String content = Files.readString(file());
            assertTrue(refusal(folder).startsWith(folder + " is being written to by process " + other.pid()
                    + " since "));
            for (String changed : List.of(content.replaceAll("20\\d\\d-", "1999-"), content.replaceAll("20\\d\\d-",
                    "2999-"))) {
                Files.writeString(file(), changed);
                String message = refusal(folder);
                assertTrue(message.endsWith("; wait until it has ended, or use another folder"), message);
            }
            for (String damaged : List.of("", "12", "4194305 another-host 2026-01-02T03:04:05Z 9")) {
                Files.writeString(file(), damaged);
                assertTrue(refusal(folder).startsWith(folder + " is being written to by "), damaged);
                assertFalse(FolderLock.isFree(folder));
            }
            FolderLock.removeOfOtherHost(folder);
            assertFalse(FolderLock.isFree(folder), "the system knows that it is held");
        } finally {
            other.destroyForcibly().waitFor();
        }
        FolderLock.removeOfOtherHost(folder);
        FolderLock.take(folder).close();
        assertEquals(List.of(), names(folder));
    }

    /** Another Java that holds the folder until it is killed. */
    private Process holder() throws IOException {
        List<String> words = JavaPrograms.command("-XX:TieredStopAtLevel=1");
        words.addAll(List.of("-cp", JavaPrograms.classPath(), Holder.class.getName(), folder.toString()));
        Process process = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals('+', process.getInputStream().read(), "it has the lock");
        return process;
    }

    /** Takes the lock of a folder and keeps it. */
    static final class Holder {
        public static void main(String[] args) throws InterruptedException {
            FolderLock.take(Path.of(args[0]));
            System.out.print('+');
            System.out.flush();
            Thread.sleep(60_000);
        }
    }

    /** As where the file system has no locks, or the process has lost its own. */
    @Test
    void aLivingProcessIsKnownByItsMarkWhereTheSystemHasNoLock() throws Exception {
        Process other = new ProcessBuilder("sleep", "60").start();
        try {
            write(ofProcess(other.pid(), ProcessMark.of(other.pid()).orElseThrow()));
            assertTrue(refusal(folder).startsWith(folder + " is being written to by process " + other.pid()));
        } finally {
            other.destroyForcibly().waitFor();
        }
        FolderLock.take(folder, (channel, shared) -> FolderLock.Answer.UNKNOWN).close();
        assertEquals(List.of(), names(folder));
    }

    @Test
    void aProcessThatHasTheNumberOfADeadOneDoesNotKeepIts() throws IOException {
        write(ofProcess(ProcessHandle.current().pid(), "another-start:1"));
        FolderLock.requireFree(folder);
        FolderLock.take(folder).close();
        assertEquals(List.of(), names(folder));
    }

    @Test
    void anotherHostsLockIsRemovedByHandOrByWhoKnowsBetter() throws IOException {
        String content = "1 another-host 2026-01-02T03:04:05Z 123 another-start:1\n";
        Files.writeString(file(), content);
        assertEquals(folder + " is being written to by process 1 on the host another-host since "
                + "2026-01-02T03:04:05Z. If that process has ended, delete " + file()
                + "; otherwise use another folder", refusal(folder));
        Files.delete(file());
        FolderLock.take(folder).close();
        Files.writeString(file(), content);
        FolderLock.removeOfOtherHost(folder);
        FolderLock.take(folder).close();
        assertEquals(List.of(), names(folder));
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
        for (int round = 0; round < 20; round++) {
            List<FolderLock> taken = Collections.synchronizedList(new ArrayList<>());
            write(ofProcess(4194305, "another-start:1"));
            CountDownLatch all = new CountDownLatch(8);
            List<Thread> threads = IntStream.range(0, 8).mapToObj(i -> new Thread(() -> {
                all.countDown();
                try {
                    all.await();
                    taken.add(FolderLock.take(folder));
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
            assertEquals(1, taken.size());
            assertEquals(List.of(FolderLock.FILE), names(folder));
            taken.get(0).close();
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
