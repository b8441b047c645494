package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class UninterruptedTest {
    @Test
    void anInterruptedWaitBeginsAgain() {
        AtomicInteger waits = new AtomicInteger();
        CountDownLatch never = new CountDownLatch(1);
        int ended = Uninterrupted.call(() -> {
            if (waits.incrementAndGet() == 1) {
                Thread.currentThread().interrupt();
                never.await();
            }
            return waits.get();
        });
        assertEquals(2, ended);
        assertTrue(Thread.interrupted(), "the interruption is kept");
    }

    @Test
    void anEarlierInterruptionIsKeptWhateverIsThrown() {
        Thread.currentThread().interrupt();
        assertThrows(IOException.class, () -> Uninterrupted.call(() -> {
            assertEquals(false, Thread.currentThread().isInterrupted());
            throw new IOException("broken");
        }));
        assertTrue(Thread.interrupted());
    }
}
