package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Tasks of several clients on few threads. */
class TurnExecutorTest {
    @Test
    void clientsHaveTheirTurns() throws InterruptedException {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch open = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(8);
        try (TurnExecutor executor = new TurnExecutor("test", 1)) {
            executor.execute("a", () -> {
                begun.countDown();
                await(open);
            });
            begun.await();
            for (String client : "aaaabbc".split("")) {
                executor.execute(client, () -> {
                    order.add(client);
                    done.countDown();
                });
            }
            executor.executeNext("a", () -> {
                order.add("A");
                done.countDown();
            });
            assertEquals(5, executor.waiting("a"));
            assertEquals(0, executor.waiting("d"));
            open.countDown();
            done.await();
        }
        assertEquals("Abcabaaa", String.join("", order));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** It would be done in the place of one that was taken. */
    @Test
    void whatIsRefusedDoesNotStayAndWhatWasTakenIsDone() throws InterruptedException {
        CountDownLatch open = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch refused = new CountDownLatch(1);
        TurnExecutor executor = new TurnExecutor("test", 1);
        executor.execute("a", () -> {
            begun.countDown();
            await(open);
        });
        begun.await();
        executor.execute("a", taken::countDown);
        executor.close();
        assertThrows(RejectedExecutionException.class, () -> executor.executeNext("a", refused::countDown));
        assertThrows(RejectedExecutionException.class, () -> executor.execute("b", refused::countDown));
        assertEquals("1 0", executor.waiting("a") + " " + executor.waiting("b"));
        open.countDown();
        assertTrue(taken.await(1, TimeUnit.MINUTES));
        assertEquals(1, refused.getCount());
    }

    @Test
    void whatATaskThrowsEndsNoOther() throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        TurnExecutor executor = new TurnExecutor("test", 1);
        executor.execute("a", () -> {
            throw new IllegalStateException("failed");
        });
        executor.execute("a", done::countDown);
        done.await();
        executor.close();
        assertThrows(RejectedExecutionException.class, () -> executor.execute("a", done::countDown));
    }
}
