package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.model.Task;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.TestServer.Reply;
import io.peft4j.serve.answer.AnsweringOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of requests that are answered when no client waits. */
class BatchesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path data;

    private static String body(int number, int tokens) {
        return "{\"model\": \"tiny-llama\", \"max_tokens\": " + tokens
                + ", \"temperature\": 0, \"messages\": [{\"role\": "
                + "\"user\", \"content\": \"Who is number " + number + "?\"}]}";
    }

    private static String line(int number, String body) {
        return "{\"custom_id\": \"request-" + number + "\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\", "
                + "\"body\": " + body + "}\n";
    }

    private static String lines(int count, int tokens) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            lines.append(line(i, body(i, tokens)));
        }
        return lines.toString();
    }

    private static String upload(TestServer server, String lines) {
        return server.send(server.upload(TestServer.form("batch", "requests.jsonl", lines))).get("id").asText();
    }

    private static Reply create(TestServer server, String file) {
        return create(server, file, "/v1/chat/completions");
    }

    private static Reply create(TestServer server, String file, String endpoint) {
        return server.post("/v1/batches", "{\"input_file_id\": \"" + file + "\", \"endpoint\": \"" + endpoint
                + "\", \"completion_window\": \"24h\", \"metadata\": {\"night\": \"1\"}}");
    }

    private static JsonNode await(TestServer server, String batch, String status, int answered)
            throws InterruptedException {
        JsonNode now = server.get("/v1/batches/" + batch).body();
        for (int i = 0; i < 3000 && !(now.get("status").asText().equals(status)
                && now.at("/request_counts/completed").asInt() >= answered); i++) {
            assertFalse(now.has("error"), now.toString());
            Thread.sleep(20);
            now = server.get("/v1/batches/" + batch).body();
        }
        assertEquals(status, now.get("status").asText(), now.toString());
        return now;
    }

    /** The lines of a file by their custom ids. */
    private static Map<String, JsonNode> answers(TestServer server, JsonNode batch, String field) throws IOException {
        Map<String, JsonNode> answers = new LinkedHashMap<>();
        String text = server.get("/v1/files/" + batch.get(field).asText() + "/content").body().asText();
        for (String line : text.split("\n")) {
            JsonNode answer = JSON.readTree(line);
            assertFalse(answers.containsKey(answer.get("custom_id").asText()), "an answer that appears twice: " + text);
            answers.put(answer.get("custom_id").asText(), answer);
        }
        return answers;
    }

    @Test
    void requestsOfABatchAreAnsweredAsTheyAreAlone() throws IOException, InterruptedException {
        try (TestServer server = TestServer.start(data)) {
            String file = upload(server, lines(3, 5) + line(3, body(3, 5).replace("tiny-llama", "gpt-4o"))
                    + line(4, body(4, 5).replace("\"temperature\": 0", "\"stream\": true")));
            JsonNode made = create(server, file).body();
            assertEquals("batch", made.get("object").asText());
            JsonNode batch = await(server, made.get("id").asText(), "completed", 3);
            assertEquals("{\"total\":5,\"completed\":3,\"failed\":2}", batch.get("request_counts").toString());
            assertEquals("1", batch.at("/metadata/night").asText());
            assertTrue(batch.get("completed_at").isNumber() && batch.get("errors").isNull(), batch.toString());
            Map<String, JsonNode> answers = answers(server, batch, "output_file_id");
            for (int i = 0; i < 3; i++) {
                JsonNode answer = answers.get("request-" + i);
                assertEquals(200, answer.at("/response/status_code").asInt());
                assertTrue(answer.get("error").isNull());
                assertEquals(server.post("/v1/chat/completions", body(i, 5)).get("choices"),
                        answer.at("/response/body/choices"));
            }
            Map<String, JsonNode> errors = answers(server, batch, "error_file_id");
            assertEquals(404, errors.get("request-3").at("/response/status_code").asInt());
            assertEquals("model_not_found", errors.get("request-3").at("/response/body/error/code").asText());
            assertEquals("stream", errors.get("request-4").at("/response/body/error/param").asText());
            assertEquals("batch_output", server.get("/v1/files/" + batch.get("output_file_id").asText())
                    .get("purpose").asText());
            assertEquals(batch, server.get("/v1/batches?limit=1").get("data").get(0));
            assertEquals(0, server.get("/v1/fine_tuning/jobs").get("data").size(), "a batch is no job");
            assertEquals(404, server.get("/v1/fine_tuning/jobs/" + batch.get("id").asText()).status());
            assertTrue(server.delete("/v1/files/" + file).get("deleted").asBoolean());
        }
    }

    @Test
    void aBatchOfTextsIsAnsweredWithTheirVectors() throws IOException, InterruptedException {
        try (BaseModel embedder = BaseModel.load("../../tests/fixtures/sentences/mean-normalized",
                ModelOptions.defaults().withTask(Task.EMBEDDING).withPrecision(ModelOptions.Precision.F32));
                TestServer server = TestServer.start(data, builder -> builder
                        .answering(AnsweringOptions.defaults().withModel("vectors", embedder)))) {
            String texts = "{\"model\": \"vectors\", \"input\": [\"who approves it\", \"a card was charged\"]}";
            String file = upload(server, (line(0, texts) + line(1, texts.replace("vectors", "tiny-llama")))
                    .replace("/v1/chat/completions", "/v1/embeddings"));
            JsonNode batch = await(server, create(server, file, "/v1/embeddings").get("id").asText(), "completed", 1);
            assertEquals("{\"total\":2,\"completed\":1,\"failed\":1}", batch.get("request_counts").toString());
            assertEquals(server.post("/v1/embeddings", texts).body(), answers(server, batch, "output_file_id")
                    .get("request-0").at("/response/body"));
            assertEquals("model_not_supported", answers(server, batch, "error_file_id").get("request-1")
                    .at("/response/body/error/code").asText());
        }
    }

    @Test
    void aBatchGoesOnWithWhatHasNoAnswerWhenTheServerStartsAgain() throws IOException, InterruptedException {
        String id;
        JsonNode before;
        try (TestServer server = TestServer.start(data)) {
            String file = upload(server, lines(150, 40));
            id = create(server, file).get("id").asText();
            before = await(server, id, "in_progress", 5);
            Reply refused = server.delete("/v1/files/" + file);
            assertEquals("409 file_in_use", refused.status() + " " + refused.error().get("code").asText());
        }
        int kept = before.at("/request_counts/completed").asInt();
        assertTrue(kept < 150, "it was not done yet");
        try (TestServer server = TestServer.start(data)) {
            assertTrue(await(server, id, "in_progress", kept).at("/request_counts/completed").asInt() >= kept);
            JsonNode batch = await(server, id, "completed", 150);
            assertEquals(150, answers(server, batch, "output_file_id").size());
            assertTrue(batch.get("error_file_id").isNull());
        }
    }

    @Test
    void aBatchThatIsCancelledLeavesItsAnswersSoFar() throws IOException, InterruptedException {
        try (TestServer server = TestServer.start(data)) {
            String id = create(server, upload(server, lines(150, 40))).get("id").asText();
            await(server, id, "in_progress", 3);
            JsonNode batch = server.post("/v1/batches/" + id + "/cancel", "").body();
            assertEquals("cancelled", batch.get("status").asText());
            int completed = batch.at("/request_counts/completed").asInt();
            assertTrue(completed >= 3 && completed < 150, batch.toString());
            assertEquals(completed, answers(server, batch, "output_file_id").size());
            Reply again = server.post("/v1/batches/" + id + "/cancel", "");
            assertEquals("400 invalid_job_status", again.status() + " " + again.error().get("code").asText());
            assertEquals("the batch " + id + " cannot be cancelled: it is cancelled", again.error().get("message")
                    .asText());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            no json                                                                       | invalid_json_line
            {"method": "POST", "url": "/v1/chat/completions", "body": {}}                 | missing_required_parameter
            {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}           | missing_required_parameter
            {"custom_id": "a", "method": "GET", "url": "/v1/chat/completions", "body":{}} | mismatched_url
            {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {}}     | mismatched_url
            {"custom_id": "request-0", "method": "POST", "url": "/v1/chat/completions", "body":{}} | duplicate_custom_id
            """)
    void aLineThatIsNoRequestFailsTheBatch(String wrong, String code) throws InterruptedException {
        try (TestServer server = TestServer.start(data)) {
            JsonNode batch = await(server,
                    create(server, upload(server, lines(1, 5) + wrong + "\n")).get("id").asText(),
                    "failed", 0);
            JsonNode error = batch.at("/errors/data/0");
            assertEquals(code + " 2", error.get("code").asText() + " " + error.get("line").asInt(), batch.toString());
            assertTrue(batch.get("failed_at").isNumber() && batch.get("output_file_id").isNull());
        }
    }

    @Test
    void whatIsWrongWithABatchIsNamed() {
        try (TestServer server = TestServer.start(data)) {
            String file = upload(server, lines(1, 5));
            List<String> params = new ArrayList<>();
            for (String fields : List.of("'input_file_id': 'file-none', 'endpoint': '/v1/embeddings'",
                    "'input_file_id': '" + server.upload(TestServer.rows(0, 2)) + "', 'endpoint': '/v1/embeddings'",
                    "'input_file_id': '" + file + "', 'endpoint': '/v1/audio'",
                    "'input_file_id': '" + file + "', 'endpoint': '/v1/embeddings', 'window': 1")) {
                Reply reply = server.post("/v1/batches", ("{" + fields + ", 'completion_window': '24h'}")
                        .replace('\'', '"'));
                params.add(reply.status() + " " + reply.error().get("param").asText());
            }
            assertEquals(List.of("400 input_file_id", "400 input_file_id", "400 endpoint", "400 window"), params);
        }
    }

    @Test
    void whatIsNotHereSaysWhatToUse() {
        try (TestServer server = TestServer.start(data)) {
            for (String path : List.of("/v1/evals", "/v1/evals/eval_1/runs",
                    "/v1/fine_tuning/checkpoints/ft:tiny:x::1:ckpt-step-3/permissions")) {
                Reply reply = server.get(path);
                assertEquals("400 unsupported_endpoint", reply.status() + " " + reply.error().get("code").asText());
                assertTrue(reply.error().get("message").asText().contains(path.contains("evals")
                        ? "the command 'evaluate'" : "as an adapter"), reply.toString());
                assertEquals(400, server.post(path, "{}").status());
            }
        }
    }
}
