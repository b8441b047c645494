package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LifetimeTest {
    private final AtomicInteger freed = new AtomicInteger();
    private final Lifetime lifetime = new Lifetime("the thing", freed::incrementAndGet);

    @Test
    void closingFreesAtOnceWhereNobodyUsesTheThing() {
        assertFalse(lifetime.isClosed());
        lifetime.close();
        lifetime.close();
        assertTrue(lifetime.isClosed());
        assertEquals(1, freed.get());
    }

    @Test
    void theLastUserOfAClosedThingFreesIt() {
        Lifetime.Lease first = lifetime.lease();
        Lifetime.Lease second = lifetime.lease();
        lifetime.close();
        first.close();
        first.close();
        assertEquals(0, freed.get());
        second.close();
        assertEquals(1, freed.get());
    }

    @Test
    void aClosedThingRefusesNewUsers() {
        Lifetime.Lease user = lifetime.lease();
        lifetime.close();
        assertEquals("the thing is closed", assertThrows(ClosedException.class, lifetime::lease).getMessage());
        user.close();
        assertEquals(1, freed.get());
    }

    @Test
    void anOpenThingIsNotFreedByItsUsers() {
        lifetime.lease().close();
        assertEquals(0, freed.get());
    }

    @Test
    void manyThreadsFreeTheThingOnceAndNeverWhileItIsUsed() throws InterruptedException {
        AtomicInteger inUse = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        Lifetime shared = new Lifetime("the thing", () -> {
            freed.incrementAndGet();
            wrong.addAndGet(inUse.get());
        });
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(new Thread(() -> {
                try {
                    while (true) {
                        try (Lifetime.Lease lease = shared.lease()) {
                            inUse.incrementAndGet();
                            wrong.addAndGet(freed.get());
                            inUse.decrementAndGet();
                        }
                    }
                } catch (ClosedException e) {
                    // The end.
                }
            }));
        }
        threads.forEach(Thread::start);
        Thread.sleep(50);
        shared.close();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(1, freed.get());
        assertEquals(0, wrong.get());
    }
}
