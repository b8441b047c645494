package io.peft4j.serve.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.serve.http.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Workers of several processes and threads at one queue, by clocks that the test turns. */
class JobQueueTest {
    private static final String BASE = "tiny";
    private static final Duration LEASE = Duration.ofSeconds(3);

    @TempDir
    Path folder;

    private final AtomicLong passed = new AtomicLong();
    private Database database;
    private Records records;
    private JobTable jobs;

    @BeforeEach
    void open() {
        database = new Database(Dialect.sqlite(folder.resolve("state.db")), () -> {
        });
        records = new Records(folder);
        jobs = new JobTable(database, records);
    }

    @AfterEach
    void close() {
        database.close();
    }

    private JobQueue worker(String name) {
        return new JobQueue(database, records, name, LEASE, passed::get);
    }

    private void pass(double seconds) {
        passed.addAndGet((long) (seconds * 1e9));
    }

    private void queued(String id) {
        ObjectNode request = Json.object().put("training_file", "file-a").put("seed", 1).put("model", BASE);
        request.putObject("method").put("type", "supervised");
        jobs.add(new Job(id, "local", "default", BASE, JobStatus.QUEUED, false, request, Json.object(),
                Optional.empty(), Optional.empty(), Optional.empty(), List.of(), 1, Optional.empty(),
                Optional.empty(), Optional.empty()), List.of());
    }

    private static Optional<String> taken(JobQueue worker) {
        return worker.takeToTrain(BASE).map(JobClaim::id);
    }

    @Test
    void aJobThatWasNotTakenSinceTheCommitFailedIsTakenNext() {
        queued("ftjob-1");
        JobQueue mine = worker("a");
        try (Faults faults = Faults.where(Step.SQL, false, what -> what.contains("COMMIT"))) {
            assertThrows(StoreException.class, () -> mine.takeToTrain(BASE));
        }
        assertEquals(Optional.of("ftjob-1"), taken(mine));
    }

    /** A pause of the process, or a step of its clock, lets no thread take what another thread of it does. */
    @Test
    void aThreadNeverTakesTheJobOfItsSibling() {
        queued("ftjob-1");
        JobQueue mine = worker("a");
        JobClaim claim = mine.takeToTrain(BASE).orElseThrow();
        for (double seconds : List.of(4.5, 3600.0, -7200.0, 86_400.0)) {
            pass(seconds);
            assertEquals(Optional.empty(), taken(mine));
            pass(LEASE.toSeconds() + 1);
            assertEquals(Optional.empty(), taken(mine));
        }
        assertTrue(mine.tell(claim, List.of(JobEvent.info("step-1", "still mine")), 1));
        mine.release(claim);
        assertEquals(Optional.of("ftjob-1"), taken(mine));
    }

    @Test
    void aWorkerThatGivesSignsOfLifeKeepsItsJob() {
        queued("ftjob-1");
        JobQueue living = worker("a");
        JobQueue other = worker("b");
        JobClaim claim = living.takeToTrain(BASE).orElseThrow();
        for (int second = 0; second < 20; second++) {
            pass(1);
            assertTrue(living.renew(claim).isPresent());
            assertEquals(Optional.empty(), taken(other));
        }
        // The other one was stopped for an hour, in which the first gave signs that went unseen.
        pass(3600);
        living.renew(claim);
        assertEquals(Optional.empty(), taken(other));
    }

    @Test
    void aJobWithoutASignOfLifeGoesToAnotherWorkerAfterTheLease() {
        queued("ftjob-1");
        queued("ftjob-2");
        JobQueue gone = worker("a");
        JobQueue other = worker("b");
        assertEquals(Optional.of("ftjob-1"), taken(gone));
        assertEquals(Optional.of("ftjob-2"), taken(other));
        assertEquals(Optional.empty(), taken(other));
        pass(LEASE.toSeconds() - 0.1);
        assertEquals(Optional.empty(), taken(other));
        pass(0.1);
        assertEquals(Optional.of("ftjob-1"), taken(other));
        assertEquals(Optional.empty(), taken(gone), "its new owner holds it from now on");
    }

    /** One that was thought dead wakes up: its number is not the last one, so nothing it writes counts. */
    @Test
    void whoWasThoughtDeadChangesNothingAnyMore() {
        queued("ftjob-1");
        JobQueue paused = worker("a");
        JobQueue other = worker("b");
        JobClaim old = paused.takeToTrain(BASE).orElseThrow();
        assertEquals(Optional.empty(), taken(other));
        pass(4.5);
        JobClaim next = other.takeToTrain(BASE).orElseThrow();
        assertEquals(old.fence() + 1, next.fence());
        requireRefused(paused, old);
        // Also where the same worker has taken it again, in another of its threads.
        other.release(next);
        paused.release(old);
        JobClaim again = paused.takeToTrain(BASE).orElseThrow();
        requireRefused(paused, old);
        assertTrue(paused.tell(again, List.of(JobEvent.info("step-1", "mine")), 1));
        assertEquals(1, new EventTable(database).list("ftjob-1", new ListPage.Request(10, Optional.empty(), true))
                .entries().size());
    }

    private void requireRefused(JobQueue worker, JobClaim claim) {
        JobEvent event = JobEvent.info("step-1", "not mine");
        StoredModel model = new StoredModel("ft:tiny", BASE, "local", "default", claim.id(), "jobs/x/run", false, 1);
        assertFalse(worker.tell(claim, List.of(event), 1));
        assertFalse(worker.progress(claim, event, 1, 1));
        assertEquals(Optional.empty(), worker.renew(claim));
        assertFalse(worker.validated(claim, Json.object(), List.of(event), 1));
        assertFalse(worker.fail(claim, "code", "message", Optional.empty(), List.of(event), 1));
        assertFalse(worker.succeed(claim, new JobQueue.Outcome(Optional.of(model), 1, List.of(), List.of(event)), 1));
        assertFalse(worker.addCheckpoint(claim, new JobCheckpoint("ftckpt_1", claim.id(), 1, "ft:tiny", 1,
                Json.object()), model, event));
        assertEquals(JobStatus.RUNNING, jobs.find(claim.id()).orElseThrow().status());
    }
}
