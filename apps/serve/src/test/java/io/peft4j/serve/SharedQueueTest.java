package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobClaim;
import io.peft4j.serve.store.JobQueue;
import io.peft4j.serve.store.JobStatus;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredModel;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two servers that share a queue on PostgreSQL: what one does not do any more the other does. Runs with {@code
 * -Dpeft4j.serve.postgresql=jdbc:postgresql://HOST/DATABASE}; {@code .ci/with-postgresql} makes a database for a
 * command.
 */
class SharedQueueTest extends KillsContract {
    @Override
    Optional<String> database() {
        return Optional.of(System.getProperty("peft4j.serve.postgresql"));
    }

    @Override
    int servers() {
        return 2;
    }

    @Test
    void serversThatStartAtOnceOnAnEmptyDatabaseAllStart(@TempDir Path data)
            throws SQLException, InterruptedException, ExecutionException {
        int rounds = 5;
        int servers = 4;
        ExecutorService threads = Executors.newFixedThreadPool(servers);
        try {
            for (int round = 0; round < rounds; round++) {
                String empty = newDatabase("at_once_" + round);
                CountDownLatch start = new CountDownLatch(1);
                List<Future<Integer>> jobs = new ArrayList<>();
                for (int server = 0; server < servers; server++) {
                    jobs.add(threads.submit(() -> {
                        start.await();
                        try (Store store = Store.open(data, new Store.Options(Optional.of(empty),
                                Duration.ofSeconds(2)))) {
                            return store.keys().list().size();
                        }
                    }));
                }
                start.countDown();
                for (Future<Integer> job : jobs) {
                    assertEquals(0, job.get());
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** A worker that was thought dead may end its job between another's look at the queue and its hold on the job. */
    @Test
    void aJobThatEndsWhileAnotherWorkerTakesItStaysEnded(@TempDir Path data) throws SQLException {
        String url = newDatabase("ends_while_taken");
        Duration lease = Duration.ofSeconds(2);
        AtomicReference<Runnable> beforeTheHold = new AtomicReference<>(() -> {
        });
        AtomicLong passed = new AtomicLong();
        try (Store slow = Store.open(data, new Store.Options(Optional.of(url), lease));
                Store other = Store.open(data, new Store.Options(Optional.of(url), lease, () -> {
                    beforeTheHold.get().run();
                    return passed.get();
                }, Optional.empty()))) {
            ObjectNode request = new ObjectMapper().createObjectNode().put("training_file", "file-a").put("seed", 1)
                    .put("model", "tiny");
            request.putObject("method").put("type", "supervised");
            slow.jobs().add(new Job("ftjob-1", "local", "default", "tiny", JobStatus.QUEUED, false, request,
                    new ObjectMapper().createObjectNode(), Optional.empty(), Optional.empty(), Optional.empty(),
                    List.of(), 1, Optional.empty(), Optional.empty(), Optional.empty()), List.of());
            JobClaim claim = slow.queue().takeToTrain("tiny").orElseThrow();
            assertEquals(Optional.empty(), other.queue().takeToTrain("tiny"));
            passed.addAndGet(lease.toNanos());
            StoredModel model = new StoredModel("ft:tiny", "tiny", "local", "default", "ftjob-1", "jobs/ftjob-1/run",
                    false, 1);
            beforeTheHold.set(
                    () -> assertTrue(slow.queue().succeed(claim, new JobQueue.Outcome(Optional.of(model), 1, List.of(),
                            List.of()), 1)));
            assertEquals(Optional.empty(), other.queue().takeToTrain("tiny"));
            assertEquals(JobStatus.SUCCEEDED, other.jobs().find("ftjob-1").orElseThrow().status());
        }
    }

    private String newDatabase(String name) throws SQLException {
        String url = database().orElseThrow();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
        }
        return url.replace("/postgres?", "/" + name + "?");
    }

    /** The character 0 and halves of characters, in JSON by their numbers. */
    @Test
    void textsThatPostgresqlDoesNotTakeAreNoFailure(@TempDir Path data) throws SQLException, InterruptedException {
        String url = newDatabase("odd_texts");
        try (TestServer server = TestServer.start(data, builder -> builder.database(url))) {
            for (String odd : List.of("a\\u0000", "a\\ud83d")) {
                String file = server.upload(TestServer.rows(0, 12) + "{\"messages\": [{\"role\": \"" + odd
                        + "\", \"content\": \"b\"}]}\n");
                String job = "{\"training_file\": \"" + file + "\", \"suffix\": \"" + odd + "\", \"model\": \"";
                assertEquals(404, server.post("/v1/fine_tuning/jobs", job + odd + "\"}").status());
                String id = server.job(job + "tiny-llama\"}");
                assertEquals("training_file", server.await(id, "failed").at("/error/param").asText());
            }
            assertEquals(200, server.get("/v1/files?purpose=%00").status());
        }
    }
}
