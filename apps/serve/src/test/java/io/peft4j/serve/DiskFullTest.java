package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.serve.TestServer.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that becomes full and has room again: said once to clients, jobs and whoever asks for the health. */
class DiskFullTest {
    private static final long MUCH = 1L << 40;

    @TempDir
    Path data;

    private final AtomicLong usable = new AtomicLong(MUCH);

    private TestServer start() {
        return TestServer.start(data, builder -> builder.usableBytes(usable::get));
    }

    private static Reply upload(TestServer server) {
        return server.send(server.upload(TestServer.form("fine-tune", "a", TestServer.rows(0, 12))));
    }

    private static void awaitHealth(TestServer server, String status) throws InterruptedException {
        for (int i = 0; i < 500 && !server.get("/health").get("status").asText().equals(status); i++) {
            Thread.sleep(20);
        }
        assertEquals(status, server.get("/health").get("status").asText());
    }

    @Test
    void anUploadIsRefusedAndNothingOfItStays() throws IOException, InterruptedException {
        try (TestServer server = start()) {
            usable.set(1000);
            Reply refused = upload(server);
            assertEquals(507, refused.status(), refused.toString());
            assertEquals("insufficient_storage", refused.error().get("code").asText());
            assertTrue(refused.headers().firstValue("Retry-After").isPresent());
            awaitHealth(server, "disk_full");
            try (Stream<Path> files = Files.list(data.resolve("files"))) {
                assertEquals(0, files.count());
            }
            usable.set(MUCH);
            awaitHealth(server, "ok");
            assertEquals(200, upload(server).status());
        }
    }

    private static List<String> topics(TestServer server, String job, String word) {
        List<String> found = new ArrayList<>();
        for (JsonNode event : server.get("/v1/fine_tuning/jobs/" + job + "/events?limit=1000").get("data")) {
            if (event.get("message").asText().contains(word)) {
                found.add(event.get("level").asText());
            }
        }
        return found;
    }

    @Tag("full")
    @Test
    void aJobWaitsUntilThereIsRoomAndGoesOn() throws InterruptedException {
        try (TestServer server = start()) {
            String file = upload(server).get("id").asText();
            String job = server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + file
                    + "\", \"hyperparameters\": {\"n_epochs\": 20, \"batch_size\": 1}}");
            while (topics(server, job, "Step ").size() < 20) {
                Thread.sleep(10);
            }
            usable.set(0);
            while (topics(server, job, "is full").isEmpty()) {
                Thread.sleep(10);
            }
            // As long as it looks for work twice.
            Thread.sleep(1200);
            assertEquals(List.of("warn"), topics(server, job, "is full"));
            assertEquals("running", server.jobOf(job).get("status").asText());
            assertEquals(507, server.post("/v1/fine_tuning/jobs", "{\"model\": \"tiny-llama\", \"training_file\": \""
                    + file + "\"}").status());
            usable.set(MUCH);
            assertEquals("succeeded", server.await(job, "succeeded", "failed").get("status").asText());
            assertEquals(List.of("warn"), topics(server, job, "is full"));
            assertEquals(List.of("info"), topics(server, job, "has room again"));
            assertEquals(240, topics(server, job, "Step ").size());
        }
    }
}
