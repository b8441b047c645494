package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.TestServer.Reply;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys of a project see its files, jobs and models; an administrator's key sees those of all. */
class ProjectsTest {
    private static final String JOBS = "/v1/fine_tuning/jobs";

    @TempDir
    Path data;

    private TestServer server;

    private Reply get(String key, String path) {
        return send(key, "GET", path, "");
    }

    private Reply send(String key, String method, String path, String body) {
        return server.send(HttpRequest.newBuilder(server.uri(path)).header("Authorization", "Bearer " + key)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body)));
    }

    private static List<String> ids(Reply reply) {
        return reply.get("data").findValuesAsText("id");
    }

    private String upload(String key) {
        Reply reply = server.send(server.upload(TestServer.form("fine-tune", "a", TestServer.rows(0, 12)))
                .header("Authorization", "Bearer " + key));
        assertEquals(200, reply.status(), reply.toString());
        return reply.get("id").asText();
    }

    private static String job(String file, String model) {
        return "{\"model\": \"" + model + "\", \"training_file\": \"" + file
                + "\", \"hyperparameters\": {\"n_epochs\": 1}}";
    }

    private JsonNode train(String key, String file) throws InterruptedException {
        String id = send(key, "POST", JOBS, job(file, "tiny-llama")).get("id").asText();
        for (int i = 0; i < 3000; i++) {
            JsonNode job = get(key, JOBS + "/" + id).body();
            if (job.path("status").asText().equals("succeeded")) {
                return job;
            }
            Thread.sleep(20);
        }
        throw new AssertionError("the job does not end");
    }

    private Reply chat(String key, String model) {
        return send(key, "POST", "/v1/chat/completions", "{\"model\": \"" + model
                + "\", \"max_tokens\": 2, \"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}");
    }

    @Test
    void aProjectsFilesJobsAndModelsAreItsOwn() throws InterruptedException {
        String red;
        String red2;
        String blue;
        String all;
        try (ServerKeys keys = ServerKeys.open(data, Optional.empty())) {
            red = keys.add("red", "red", ServerKeys.Limits.NONE);
            red2 = keys.add("red2", "red", ServerKeys.Limits.NONE);
            blue = keys.add("blue", "blue", ServerKeys.Limits.NONE);
            all = keys.addAdministrator("root", ServerKeys.Limits.NONE);
        }
        server = TestServer.start(data, builder -> builder.apiKey("sk-master"));
        try (TestServer closing = server) {
            String file = upload(red);
            JsonNode made = train(red, file);
            String id = made.get("id").asText();
            String model = made.get("fine_tuned_model").asText();
            String result = made.get("result_files").get(0).asText();
            for (String key : List.of(red, red2, all, "sk-master")) {
                assertTrue(ids(get(key, "/v1/files")).contains(file));
                assertTrue(ids(get(key, JOBS)).contains(id));
                assertTrue(ids(get(key, "/v1/models")).contains(model));
                assertEquals(200, get(key, "/v1/files/" + file + "/content").status());
                assertEquals(200, get(key, "/v1/files/" + result).status());
                assertEquals(200, get(key, JOBS + "/" + id + "/events").status());
                assertEquals(200, chat(key, model).status());
            }
            requireHidden(blue, file, result, id, model);
            String own = upload(blue);
            assertEquals(List.of(own), ids(get(blue, "/v1/files")));
            assertEquals(400, send(blue, "POST", JOBS, job(file, "tiny-llama")).status());
            assertEquals(404, send(blue, "POST", JOBS, job(own, model)).status());
            assertFalse(ids(get(red, "/v1/files")).contains(own));
            assertTrue(ids(get("sk-master", "/v1/files")).containsAll(List.of(file, own)));
            assertEquals(200, send(red2, "DELETE", "/v1/models/" + model, "").status());
            assertEquals(200, send(all, "DELETE", "/v1/files/" + own, "").status());
            assertEquals(404, get(blue, "/v1/files/" + own).status());
        }
    }

    private void requireHidden(String key, String file, String result, String job, String model) {
        assertEquals(List.of(), ids(get(key, "/v1/files")));
        assertEquals(List.of(), ids(get(key, JOBS)));
        assertEquals(List.of("tiny-llama"), ids(get(key, "/v1/models")));
        for (String path : List.of("/v1/files/" + file, "/v1/files/" + file + "/content", "/v1/files/" + result,
                JOBS + "/" + job, JOBS + "/" + job + "/events", JOBS + "/" + job + "/checkpoints",
                "/v1/models/" + model)) {
            Reply reply = get(key, path);
            assertEquals(404, reply.status(), path);
        }
        assertEquals(400, get(key, "/v1/files?after=" + file).status(), "as of one that does not exist");
        assertEquals(400, get(key, JOBS + "?after=" + job).status());
        for (String path : List.of("/v1/files/" + file, "/v1/models/" + model)) {
            assertEquals(404, send(key, "DELETE", path, "").status(), path);
        }
        assertEquals(404, send(key, "POST", JOBS + "/" + job + "/cancel", "").status());
        Reply unknown = chat(key, model);
        assertEquals(404, unknown.status());
        assertFalse(chat(key, model.substring(1)).toString().contains(model), "nor is it suggested");
    }

    /** A folder that was used without projects: what is there, and its keys, belong to the default one. */
    @Test
    void keysWithoutAProjectShareTheDefaultOne() {
        String old;
        String red;
        try (ServerKeys keys = ServerKeys.open(data, Optional.empty())) {
            old = keys.add("old", ServerKeys.Limits.NONE);
            red = keys.add("red", "red", ServerKeys.Limits.NONE);
            assertEquals(List.of(Optional.of("default"), Optional.of("red")), keys.list().stream()
                    .map(ServerKeys.Key::project).toList());
            assertThrows(ConfigurationException.class, () -> keys.add("x", "a project", ServerKeys.Limits.NONE));
        }
        server = TestServer.start(data, builder -> builder.apiKey("sk-master"));
        try (TestServer closing = server) {
            String file = upload("sk-master");
            assertEquals(List.of(file), ids(get(old, "/v1/files")));
            assertEquals(List.of(), ids(get(red, "/v1/files")));
        }
    }
}
