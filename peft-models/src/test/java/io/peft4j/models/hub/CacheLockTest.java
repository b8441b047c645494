package io.peft4j.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Locks between threads and between processes. */
class CacheLockTest {
    @TempDir
    Path folder;

    @Test
    void anotherProcessIsWaitedFor() throws Exception {
        Path file = folder.resolve("deep").resolve("a.lock");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Holder.class.getName(), file.toString()).start();
        try (BufferedReader out = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertEquals("locked", out.readLine());
            CountDownLatch waiting = new CountDownLatch(1);
            CompletableFuture<Void> acquired = CompletableFuture.runAsync(
                    () -> CacheLock.acquire(file, waiting::countDown).close());
            assertTrue(waiting.await(30, TimeUnit.SECONDS));
            assertFalse(acquired.isDone());
            process.getOutputStream().close();
            acquired.get(30, TimeUnit.SECONDS);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void threadsOfOneProcessTakeTurns() throws Exception {
        Path file = folder.resolve("a.lock");
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                try (CacheLock lock = CacheLock.acquire(file, () -> {
                })) {
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    Thread.yield();
                    inside.decrementAndGet();
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(1, most.get());
        assertEquals(0, inside.get());
    }

    /** Holds a lock until its input ends. */
    static final class Holder {
        private Holder() {
        }

        public static void main(String[] args) throws Exception {
            try (CacheLock lock = CacheLock.acquire(Path.of(args[0]), () -> {
            })) {
                System.out.println("locked");
                System.in.read();
            }
        }
    }
}
