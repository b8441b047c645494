package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.serve.TestServer.Reply;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The check of a large training file ends when it is not wanted any more, or not now. */
class CancelledCheckTest {
    @TempDir
    Path data;

    /** Waits until so many jobs are worked on. */
    private static void awaitWork(TestServer server, String count) throws InterruptedException {
        String metrics = server.get("/metrics").body().asText();
        while (!metrics.contains("\npeft4j_jobs_checking " + count)) {
            Thread.sleep(10);
            metrics = server.get("/metrics").body().asText();
        }
    }

    @Test
    void pausingEndsACheckThatRunsUntilTheJobIsResumed() throws InterruptedException {
        try (TestServer server = TestServer.start(data)) {
            String file = server.upload(TestServer.rows(0, 60_000));
            String job = "/v1/fine_tuning/jobs/" + server.job("{\"model\": \"tiny-llama\", \"training_file\": \""
                    + file + "\"}");
            awaitWork(server, "1.0");
            Reply paused = server.post(job + "/pause", "");
            assertEquals("queued true", paused.get("status").asText() + " " + paused.get("paused"));
            awaitWork(server, "0.0");
            Thread.sleep(700);
            assertTrue(server.get("/metrics").body().asText().contains("\npeft4j_jobs_checking 0.0"),
                    "nobody takes it meanwhile");
            assertEquals("validating_files", server.post(job + "/resume", "").get("status").asText());
            awaitWork(server, "1.0");
            server.post(job + "/cancel", "");
            awaitWork(server, "0.0");
        }
    }

    @Test
    void cancellingEndsACheckThatRuns() throws InterruptedException {
        try (TestServer server = TestServer.start(data)) {
            String file = server.upload(TestServer.rows(0, 60_000));
            String job = server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + file + "\"}");
            awaitWork(server, "1.0");
            assertEquals("validating_files", server.jobOf(job).path("status").asText());
            assertEquals("cancelled", server.post("/v1/fine_tuning/jobs/" + job + "/cancel", "").get("status")
                    .asText());
            awaitWork(server, "0.0");
            String events = server.get("/v1/fine_tuning/jobs/" + job + "/events").body().toString();
            assertTrue(!events.contains("Data report") && !events.contains("queued"), events);
        }
    }
}
