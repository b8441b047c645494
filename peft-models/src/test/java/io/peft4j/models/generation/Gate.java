package io.peft4j.models.generation;

import io.peft4j.core.model.TextConstraint;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Allows every text, but lets decoding stand still at a request's first token until it is opened. */
class Gate implements TextConstraint {
    private final String name;
    private final CountDownLatch met = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);
    private final AtomicInteger steps = new AtomicInteger();

    Gate(String name) {
        this.name = name;
    }

    /** Waits until decoding stops here. */
    void awaitFirstToken() {
        await(met);
    }

    void open() {
        open.countDown();
    }

    /** Whether decoding has stopped here. */
    boolean holdsUp() {
        return met.getCount() == 0 && open.getCount() > 0;
    }

    @Override
    public int start() {
        return 0;
    }

    /** How often it was asked for what may come, which other threads than that of decoding do. */
    int steps() {
        return steps.get();
    }

    @Override
    public int step(int state, int value) {
        steps.incrementAndGet();
        return 0;
    }

    @Override
    public boolean mayEnd(int state) {
        met.countDown();
        await(open);
        return false;
    }

    @Override
    public boolean mayGoOn(int state) {
        return true;
    }

    @Override
    public String description() {
        return name;
    }

    static void await(CountDownLatch latch) {
        try {
            // A test that fails before it opens the gate ends, too.
            if (!latch.await(2, TimeUnit.MINUTES)) {
                throw new IllegalStateException("nobody opened the gate");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Allows every text, which takes until {@code open} to find. */
    static Gate slow(String name, CountDownLatch searched, CountDownLatch open) {
        Gate slow = new Gate(name) {
            @Override
            public int step(int state, int value) {
                searched.countDown();
                await(open);
                return super.step(state, value);
            }
        };
        slow.open();
        return slow;
    }
}
