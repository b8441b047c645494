package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a signal waits for. */
class InterruptsTest {
    private static Thread stop(Interrupts interrupts) {
        Thread stopping = new Thread(interrupts::stop);
        stopping.setDaemon(true);
        stopping.start();
        return stopping;
    }

    @Test
    void aStopEndsTheCommandAndWaitsForIt() throws InterruptedException {
        Interrupts interrupts = new Interrupts();
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        interrupts.stopping(asked::countDown);
        Thread stopping = stop(interrupts);
        assertEquals(7, interrupts.during(() -> {
            try {
                assertTrue(asked.await(60, TimeUnit.SECONDS));
                assertFalse(goOn.await(50, TimeUnit.MILLISECONDS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            assertTrue(stopping.isAlive(), "it waits");
            return 7;
        }));
        stopping.join(60_000);
        assertFalse(stopping.isAlive());
    }

    /** A process whose command ended by a lack of memory must not wait for ever to be stopped. */
    @Test
    void aStopDoesNotWaitForACommandThatFailed() throws InterruptedException {
        Interrupts interrupts = new Interrupts();
        CountDownLatch asked = new CountDownLatch(1);
        interrupts.stopping(asked::countDown);
        Thread stopping = stop(interrupts);
        assertTrue(asked.await(60, TimeUnit.SECONDS));
        assertThrows(OutOfMemoryError.class, () -> interrupts.during(() -> {
            throw new OutOfMemoryError();
        }));
        stopping.join(60_000);
        assertFalse(stopping.isAlive());
    }
}
