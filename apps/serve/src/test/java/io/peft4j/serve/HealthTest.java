package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a server from its work is in its health. */
class HealthTest {
    private static final long LONG = 60_000_000_000L;

    @TempDir
    Path data;

    private final AtomicLong later = new AtomicLong();

    private TestServer start() {
        return TestServer.start(data, builder -> builder.nanos(() -> System.nanoTime() + later.get()));
    }

    private static void awaitProblem(TestServer server, String problem) throws InterruptedException {
        String found = "";
        for (int i = 0; i < 500 && !found.contains(problem); i++) {
            Thread.sleep(20);
            found = server.get("/health").get("problems").toString();
        }
        assertEquals("[\"" + problem + "\"]", found);
        assertEquals("degraded", server.get("/health").get("status").asText());
    }

    private void change(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + data.resolve("state.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void aQueueThatCannotBeReadIsToldUntilItCan() throws SQLException, InterruptedException {
        try (TestServer server = start()) {
            assertEquals("ok", server.get("/health").get("status").asText());
            change("ALTER TABLE jobs RENAME TO away");
            awaitProblem(server, "the job queue is unavailable");
            change("ALTER TABLE away RENAME TO jobs");
            // Longer than its threads wait after a failure.
            Thread.sleep(2500);
            later.addAndGet(LONG);
            assertEquals("{\"status\":\"ok\",\"model\":\"tiny-llama\"}", server.get("/health").body().toString());
        }
    }

    @Test
    void aThreadThatHasEndedIsTold() throws InterruptedException {
        try (TestServer server = start()) {
            Thread watcher = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("peft4j-job-leases")).findFirst().orElseThrow();
            watcher.interrupt();
            watcher.join();
            String problems = server.get("/health").get("problems").toString();
            assertTrue(problems.contains("the thread peft4j-job-leases has ended; restart the server"),
                    problems);
        }
    }
}
