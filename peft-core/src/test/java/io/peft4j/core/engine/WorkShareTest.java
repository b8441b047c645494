package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** With pauses of hours: long work continues only where nothing short is in progress. */
class WorkShareTest {
    private final WorkShare share = new WorkShare(1e6);

    private boolean work() {
        WorkShare.Pieces pieces = share.pieces();
        long end = System.nanoTime() + 20_000_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        return pieces.pause();
    }

    @Test
    void longWorkGoesOnWithoutShortWork() {
        assertTrue(work());
        assertFalse(share.pieces().pause());
    }

    @Test
    void longWorkPausesUntilAllShortWorkHasEnded() throws InterruptedException {
        share.begin();
        share.begin();
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> done.complete(work()));
        thread.start();
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(5);
        }
        share.end();
        Thread.sleep(50);
        assertFalse(done.isDone());
        share.end();
        assertTrue(done.join());
    }

    @Test
    void anInterruptEndsAPause() throws InterruptedException {
        share.begin();
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread thread = new Thread(() -> interrupted.complete(work() && Thread.currentThread().isInterrupted()));
        thread.start();
        thread.interrupt();
        assertTrue(interrupted.join());
    }
}
