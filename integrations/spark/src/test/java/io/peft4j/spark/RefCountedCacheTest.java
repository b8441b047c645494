package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RefCountedCacheTest {

    private static final class Thing implements AutoCloseable {
        private final CountDownLatch closed = new CountDownLatch(1);

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Test
    void allWhoAskAtOnceGetOneThing() throws Exception {
        AtomicInteger made = new AtomicInteger();
        RefCountedCache<String, Thing> things = new RefCountedCache<>(key -> {
            made.incrementAndGet();
            return new Thing();
        }, 60_000);
        ExecutorService tasks = Executors.newFixedThreadPool(8);
        try {
            Callable<Thing> task = () -> {
                try (RefCountedCache<String, Thing>.Lease lease = things.acquire("model")) {
                    return lease.value();
                }
            };
            List<Future<Thing>> got = tasks.invokeAll(Stream.generate(() -> task).limit(50).toList());
            for (Future<Thing> one : got) {
                assertSame(got.get(0).get(), one.get());
            }
        } finally {
            tasks.shutdown();
        }
        assertEquals(1, made.get());
    }

    @Test
    void aThingIsClosedSomeTimeAfterTheLastHasLeft() throws Exception {
        RefCountedCache<String, Thing> things = new RefCountedCache<>(key -> new Thing(), 20);
        RefCountedCache<String, Thing>.Lease first = things.acquire("model");
        RefCountedCache<String, Thing>.Lease second = things.acquire("model");
        Thing thing = first.value();
        first.close();
        first.close();

        assertFalse(thing.closed.await(100, TimeUnit.MILLISECONDS));
        second.close();
        assertTrue(thing.closed.await(10, TimeUnit.SECONDS));
        try (RefCountedCache<String, Thing>.Lease third = things.acquire("model")) {
            assertNotSame(thing, third.value());
        }
    }

    @Test
    void aThingThatCannotBeMadeIsTriedAgain() {
        AtomicInteger tries = new AtomicInteger();
        RefCountedCache<String, Thing> things = new RefCountedCache<>(key -> {
            if (tries.incrementAndGet() == 1) {
                throw new IllegalStateException("not yet");
            }
            return new Thing();
        }, 60_000);

        assertThrows(IllegalStateException.class, () -> things.acquire("model"));
        try (RefCountedCache<String, Thing>.Lease lease = things.acquire("model")) {
            assertFalse(lease.value().closed.getCount() == 0);
        }
        assertEquals(2, tries.get());
    }
}
