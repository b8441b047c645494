package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class BackgroundLoopTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(1);

    @Test
    void aLoopSurvivesWhateverARoundThrowsAndTellsIt() throws InterruptedException {
        BlockingQueue<Throwable> thrown = new ArrayBlockingQueue<>(10);
        BlockingQueue<Optional<Throwable>> told = new LinkedBlockingQueue<>();
        OutOfMemoryError error = new OutOfMemoryError("none left");
        BackgroundLoop[] loop = new BackgroundLoop[1];
        CountDownLatch begin = new CountDownLatch(1);
        loop[0] = BackgroundLoop.start("peft4j-test", SHORT, () -> {
            begin.await();
            told.add(loop[0].failure());
            if (thrown.isEmpty()) {
                throw error;
            }
            return true;
        }, e -> {
            thrown.add(e);
            throw new StackOverflowError("no line of the log either");
        });
        begin.countDown();
        assertEquals(Optional.empty(), told.take());
        assertEquals(Optional.of(error), told.take());
        assertEquals(Optional.empty(), told.take());
        assertSame(error, thrown.take());
        assertTrue(loop[0].stop(LONG));
        assertFalse(loop[0].isAlive());
    }

    @Test
    void aLoopEndsWhereARoundOrWhoHearsOfTroubleSaysSo() {
        assertTrue(BackgroundLoop.start("peft4j-test", Duration.ZERO, () -> false, e -> true).awaitEnd(LONG));
        assertTrue(BackgroundLoop.start("peft4j-test", Duration.ZERO, () -> {
            throw new AssertionError("no");
        }, e -> false).awaitEnd(LONG));
    }

    @Test
    void aThreadThatIsInterruptedWaitsForTheRoundThatRuns() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch finish = new CountDownLatch(1);
        boolean[] saved = new boolean[1];
        BackgroundLoop loop = BackgroundLoop.start("peft4j-test", Duration.ZERO, () -> {
            running.countDown();
            finish.await();
            saved[0] = true;
            return true;
        }, e -> false);
        running.await();
        assertFalse(loop.stop(SHORT));
        Thread.currentThread().interrupt();
        finish.countDown();
        assertTrue(loop.stop(LONG));
        assertTrue(Thread.interrupted(), "it stays interrupted");
        assertTrue(saved[0]);
    }

    @Test
    void aPauseEndsWhenTheLoopIsStopped() {
        Predicate<Throwable> nobody = e -> false;
        assertTrue(BackgroundLoop.start("peft4j-test", Duration.ofDays(1), () -> true, nobody).stop(LONG));
    }

    @Test
    void aThreadThatTheSystemRefusesIsNoLoop() {
        try (Faults refusing = Faults.where(Step.THREAD, true, what -> true)) {
            assertThrows(OutOfMemoryError.class, () -> BackgroundLoop.start("peft4j-refused", SHORT, () -> true,
                    e -> true));
        }
        assertTrue(Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals(
                "peft4j-refused")));
    }
}
