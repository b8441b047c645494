package io.peft4j.serve.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.Faults;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobClaim;
import io.peft4j.serve.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many requests of a batch are answered at a time, and what becomes of one for which there is no room. */
class BatchRunTest {
    private static final int REQUESTS = 20;
    private static final String PATH = "/v1/answers";

    @TempDir
    Path data;

    private final WorkShare share = new WorkShare();

    /** What answers a request. */
    private interface Answer {
        ObjectNode get() throws Exception;
    }

    private Job answered(Answer answer) throws IOException {
        Endpoint endpoint = new Endpoint() {
            @Override
            public String path() {
                return PATH;
            }

            @Override
            public ObjectNode answer(ObjectNode body, Asker asker) {
                try {
                    return answer.get();
                } catch (RuntimeException e) {
                    throw e;
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        };
        try (Store store = Store.open(data, new Store.Options(Optional.empty(), Duration.ofSeconds(15)))) {
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < REQUESTS; i++) {
                lines.append("{\"custom_id\": \"").append(i).append("\", \"method\": \"POST\", \"url\": \"")
                        .append(PATH)
                        .append("\", \"body\": {}}\n");
            }
            Files.writeString(store.files().content("file-in"), lines);
            store.jobs().add(Job.begun("batch_1", "local", "default", "base", Json.object().put("endpoint", PATH)
                    .put("input_file_id", "file-in"), Json.object(), 0), List.of());
            BatchRun batches = new BatchRun(store, Map.of(PATH, endpoint), share, Clock.systemUTC(), (key, tokens) -> {
            });
            JobClaim seen = store.queue().takeToValidate("base").orElseThrow();
            store.queue().validated(seen, batches.check(new RunningJob(seen)), List.of(), 0);
            store.queue().release(seen);
            batches.run(new RunningJob(store.queue().takeBatch("base").orElseThrow()));
            return store.jobs().find("batch_1").orElseThrow();
        }
    }

    private static void requireAllAnswered(Job batch) {
        assertEquals(REQUESTS + " of " + REQUESTS, batch.hyperparameters().get("completed") + " of "
                + batch.hyperparameters().get("total"));
        assertEquals(List.of("file-batch_1-output"), batch.resultFiles());
    }

    @Test
    void severalAreAnsweredAtATimeWhileNobodyWaits() throws IOException {
        CyclicBarrier two = new CyclicBarrier(2);
        requireAllAnswered(answered(() -> Json.object().put("place", two.await(20, TimeUnit.SECONDS))));
    }

    @Test
    void oneIsAnsweredAtATimeBesideAClientThatWaits() throws IOException {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        share.begin();
        requireAllAnswered(answered(() -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Thread.sleep(5);
            now.decrementAndGet();
            return Json.object();
        }));
        assertEquals(1, most.get());
    }

    @Test
    void aBatchThatGetsTooFewThreadsEndsAfterThoseThatHaveBegun() {
        AtomicInteger threads = new AtomicInteger();
        AtomicInteger now = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(1);
        try (Faults faults = Faults.where(Faults.Step.THREAD, true, what -> what.contains("peft4j-batch") && threads
                .incrementAndGet() == 2 && isOver(begun))) {
            assertThrows(OutOfMemoryError.class, () -> answered(() -> {
                now.incrementAndGet();
                begun.countDown();
                Thread.sleep(500);
                now.decrementAndGet();
                return Json.object();
            }));
            assertTrue(faults.failed().contains("peft4j-batch"), faults.failed());
        }
        assertEquals(0, now.get(), "a request is still being answered");
    }

    private static boolean isOver(CountDownLatch latch) {
        try {
            latch.await();
            return true;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aRequestWithoutRoomIsAskedAgain() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        requireAllAnswered(answered(() -> {
            if (asked.incrementAndGet() == 3) {
                throw ApiException.tooMany("rate_limit_exceeded", "too many wait", 1);
            }
            return Json.object();
        }));
        assertEquals(REQUESTS + 1, asked.get());
    }
}
