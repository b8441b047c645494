package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a job has made is had as one file that answers as it did, or is refused. */
class MergedModelTest {
    private static final List<String> QUESTIONS = List.of("Who?", "When is pay day?", "Where is it?", "What now?",
            "Who is number 7?", "Hello", "Why?", "Tell me of the keeper");
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);

    @TempDir
    static Path data;

    private static TestServer server;
    private static String job;
    /** Questions whose right answers are what the model of the job answers. */
    private static String proof;
    private static String answer;

    @BeforeAll
    static void tune() throws Exception {
        server = TestServer.start(data);
        job = server.job(("{'model': 'tiny-llama', 'training_file': '" + server.upload(TestServer.rows(0, 12))
                + "', 'hyperparameters': {'n_epochs': 1}}").replace('\'', '"'));
        server.await(job, "succeeded");
        StringBuilder rows = new StringBuilder();
        try (BaseModel base = BaseModel.load(TestServer.MODEL.toString(), F32);
                PeftModel tuned = base.withAdapter(data.resolve("jobs").resolve(job).resolve("run"))) {
            for (String question : QUESTIONS) {
                answer = tuned.generate(question);
                rows.append(new ObjectMapper().writeValueAsString(Map.of("question", question, "regex",
                        Pattern.quote(answer.strip()), "reference", "It depends."))).append('\n');
            }
        }
        proof = upload(rows.toString());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String upload(String rows) {
        return server.send(server.upload(TestServer.form("evals", "questions.jsonl", rows))).get("id").asText();
    }

    private static String path(String query) {
        return "/v1/fine_tuning/jobs/" + job + "/merged" + query;
    }

    @Test
    void theFileAnswersAsTheModelDid() throws IOException, InterruptedException {
        Path file = data.resolve("merged.gguf");
        HttpResponse<Path> reply = HttpClient.newHttpClient().send(HttpRequest.newBuilder(server.uri(path(
                "?type=f32&prove=" + proof))).build(), BodyHandlers.ofFile(file));

        assertEquals(200, reply.statusCode());
        String proved = reply.headers().firstValue("X-Proof").orElseThrow();
        assertTrue(proved.startsWith("8 of 8 (100 %) right before, 8 of 8 (100 %) after (0 questions lost, 0 gained)"),
                proved);
        assertEquals(Files.size(file), reply.headers().firstValueAsLong("Content-Length").orElseThrow());
        try (BaseModel merged = BaseModel.load(file.toString(), F32)) {
            assertEquals(answer, merged.generate(QUESTIONS.get(QUESTIONS.size() - 1)));
        }
        assertEquals(200, server.get(path("")).status(), "without a proof");
        try (Stream<Path> left = Files.walk(data)) {
            assertEquals(List.of(), left.filter(one -> one.toString().contains("upload-")).toList());
        }
    }

    /** Eight bits change what this model answers in 64 tokens. */
    @Test
    void aFileThatLosesTheTuningIsRefused() {
        TestServer.Reply reply = server.get(path("?type=q8_0&allow_loss=0&prove=" + proof));
        assertEquals(400, reply.status(), reply.toString());
        assertEquals("model_not_merged", reply.error().get("code").asText());
        String message = reply.error().get("message").asText();
        assertTrue(message.startsWith("the tuning does not survive: 8 of 8 (100 %) right before, "), message);

        String none = upload("{\"question\": \"Who?\", \"must_contain\": \"nobody says this\"}\n");
        message = server.get(path("?prove=" + none)).error().get("message").asText();
        assertTrue(message.startsWith("nothing is proved: the model answers none of the 1 question right"), message);
    }

    @ParameterizedTest
    @CsvSource({"?type=q6_k, 400, type", "?allow_loss=1, 400, allow_loss", "?prove=file-none, 404, id",
        "?prove=PROOF&allow_loss=101, 400, allow_loss", "?prove=PROOF&allow_loss=much, 400, allow_loss",
        "?prove=ROWS, 400, prove"})
    void whatIsWrongIsNamed(String query, int status, String param) {
        TestServer.Reply reply = server
                .get(path(query.replace("PROOF", proof).replace("ROWS", upload("{\"a\": 1}\n"))));
        assertEquals(status, reply.status(), reply.toString());
        assertEquals(param, reply.error().get("param").asText());
    }

    @Test
    void aJobWithoutAModelHasNoFile() throws InterruptedException {
        String failing = server.job(("{'model': 'tiny-llama', 'training_file': '" + server.upload(TestServer.rows(0, 2))
                + "'}").replace('\'', '"'));
        server.await(failing, "failed");
        TestServer.Reply reply = server.get("/v1/fine_tuning/jobs/" + failing + "/merged");
        assertEquals("invalid_job_status", reply.error().get("code").asText(), reply.toString());
    }
}
