package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.serve.store.internal.Store;
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
        String url = database().orElseThrow();
        int rounds = 5;
        int servers = 4;
        ExecutorService threads = Executors.newFixedThreadPool(servers);
        try {
            for (int round = 0; round < rounds; round++) {
                String empty = "at_once_" + round;
                try (Connection connection = DriverManager.getConnection(url);
                        Statement statement = connection.createStatement()) {
                    statement.execute("CREATE DATABASE " + empty);
                }
                CountDownLatch start = new CountDownLatch(1);
                List<Future<Integer>> jobs = new ArrayList<>();
                for (int server = 0; server < servers; server++) {
                    jobs.add(threads.submit(() -> {
                        start.await();
                        try (Store store = Store.open(data, new Store.Options(Optional.of(url.replace("/postgres?",
                                "/" + empty + "?")), Duration.ofSeconds(2)))) {
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

    /** The character 0 and halves of characters, in JSON by their numbers. */
    @Test
    void textsThatPostgresqlDoesNotTakeAreNoFailure(@TempDir Path data) throws SQLException, InterruptedException {
        String url = database().orElseThrow();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE odd_texts");
        }
        try (TestServer server = TestServer.start(data, builder -> builder.database(url.replace("/postgres?",
                "/odd_texts?")))) {
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
