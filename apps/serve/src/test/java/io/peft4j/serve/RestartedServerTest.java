package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers that find less in their database than they had written there. */
class RestartedServerTest {
    @TempDir
    Path data;

    private static String job(TestServer server, int epochs) {
        return server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + server.upload(TestServer.rows(0, 12))
                + "\", \"hyperparameters\": {\"batch_size\": 2, \"n_epochs\": " + epochs + "}}");
    }

    private static Set<Integer> steps(TestServer server, String job) {
        Set<Integer> steps = new TreeSet<>();
        for (JsonNode event : server.get("/v1/fine_tuning/jobs/" + job + "/events?limit=1000").get("data")) {
            if (event.get("type").asText().equals("metrics")) {
                assertTrue(steps.add(event.at("/data/step").asInt()), "a step that was told twice");
            }
        }
        return steps;
    }

    /** As of a server that is stopped, or loses a job, between an update and its event. */
    @Tag("full")
    @Test
    void stepsThatWereTrainedAndNotToldAreToldWhenTheJobGoesOn() throws InterruptedException, SQLException {
        String job;
        try (TestServer server = TestServer.start(data)) {
            job = job(server, 30);
            while (steps(server, job).size() < 20) {
                Thread.sleep(5);
            }
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + data.resolve("state.db"));
                Statement statement = connection.createStatement()) {
            assertTrue(statement.executeUpdate("DELETE FROM events WHERE topic LIKE 'step-%'") >= 20);
            statement.executeUpdate("DELETE FROM checkpoints");
        }
        try (TestServer server = TestServer.start(data)) {
            server.await(job, "succeeded");
            Set<Integer> steps = steps(server, job);
            assertEquals(180, steps.size(), steps.toString());
            assertEquals(30, server.get("/v1/fine_tuning/jobs/" + job + "/checkpoints?limit=100").get("data").size());
        }
    }

    @Test
    void aDatabaseThatIsLostIsBuiltAgainAndEverythingGoesOn() throws IOException, InterruptedException {
        String done;
        String open;
        JsonNode before;
        try (TestServer server = TestServer.start(data)) {
            done = job(server, 1);
            before = server.await(done, "succeeded");
        }
        try (TestServer server = TestServer.start(data, builder -> builder.jobsAtOnce(0))) {
            open = job(server, 1);
            server.await(open, "queued");
        }
        Files.write(data.resolve("state.db"), new byte[20_000]);
        assertThrows(DamagedDataException.class, () -> TestServer.start(data));
        // The two files of data; of the job that was done the figures and two forms of the report.
        assertEquals(new ServerData.Found(5, 2, 2, 0), ServerData.rebuild(data, Optional.empty()));
        try (TestServer server = TestServer.start(data)) {
            assertEquals(before, server.jobOf(done));
            assertEquals("succeeded", server.await(open, "succeeded", "failed").get("status").asText());
            for (String job : new String[] {done, open}) {
                String model = server.jobOf(job).get("fine_tuned_model").asText();
                assertEquals(200,
                        server.post("/v1/chat/completions", "{\"model\": \"" + model + "\", \"max_tokens\": 2, "
                                + "\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}").status());
            }
            String figures = before.get("result_files").get(0).asText();
            assertTrue(server.get("/v1/files/" + figures + "/content").body().asText().startsWith("step,train_loss"));
        }
    }
}
