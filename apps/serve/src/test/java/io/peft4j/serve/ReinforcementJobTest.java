package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs by reinforcement, and graders by themselves. */
class ReinforcementJobTest {
    private static final String GRADER = "{\"type\": \"multi\", \"name\": \"both\", \"calculate_output\": "
            + "\"0.5 * same + 0.5 * near\", \"graders\": {\"same\": {\"type\": \"string_check\", \"name\": \"same\", "
            + "\"operation\": \"eq\", \"input\": \"{{sample.output_text}}\", \"reference\": \"{{item.answer}}\"}, "
            + "\"near\": {\"type\": \"text_similarity\", \"name\": \"near\", \"evaluation_metric\": \"fuzzy_match\", "
            + "\"input\": \"{{sample.output_text}}\", \"reference\": \"{{item.answer}}\"}}}";

    @TempDir
    private static Path data;
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(data);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String prompts(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"What is "
                + i + "?\"}], \"answer\": \"" + i + "\"}\n").collect(Collectors.joining());
    }

    private static String job(String training, String validation, String hyperparameters) {
        return "{\"model\": \"tiny-llama\", \"training_file\": \"" + training + "\", \"validation_file\": \""
                + validation
                + "\", \"method\": {\"type\": \"reinforcement\", \"reinforcement\": {\"grader\": " + GRADER
                + ", \"hyperparameters\": " + hyperparameters + "}}}";
    }

    @Test
    void aJobGoesFromPromptsToAModelThatAnswers() throws InterruptedException {
        String training = server.upload(prompts(0, 12));
        String id = server.job(job(training, server.upload(prompts(20, 22)),
                "{\"n_epochs\": 1, \"batch_size\": 6, \"compute_multiplier\": 0.25}"));
        JsonNode done = server.await(id, "succeeded", "failed");
        assertEquals("succeeded", done.get("status").asText(), done.toString());
        JsonNode method = done.get("method").path("reinforcement");
        assertEquals("multi", method.path("grader").path("type").asText());
        assertEquals(0.25, method.path("hyperparameters").path("compute_multiplier").asDouble());
        String events = server.get("/v1/fine_tuning/jobs/" + id + "/events").body().toString();
        assertTrue(events.contains("train_mean_reward") && events.contains("valid_mean_reward")
                && events.contains("rewards/near") && events.contains("frac_reward_zero_std"), events);
        TestServer.Reply answer = server.post("/v1/chat/completions", "{\"model\": \"" + done.get("fine_tuned_model")
                .asText() + "\", \"max_tokens\": 3, \"messages\": [{\"role\": \"user\", \"content\": \"What?\"}]}");
        assertEquals(200, answer.status(), answer.body().toString());
    }

    /** All answers to a prompt get one reward: the job succeeds, and has learned nothing. */
    @Test
    void aJobWhoseRewardsAreEqualWarns() throws InterruptedException {
        String id = server.job(job(server.upload(prompts(0, 12)), server.upload(prompts(20, 22)),
                "{\"n_epochs\": 1, \"batch_size\": 6, \"compute_multiplier\": 0.25}").replace(GRADER,
                        "{\"type\": "
                                + "\"string_check\", \"name\": \"g\", \"operation\": \"eq\", \"input\": \"a\", "
                                + "\"reference\": \"b\"}"));
        server.await(id, "succeeded", "failed");
        String events = server.get("/v1/fine_tuning/jobs/" + id + "/events?limit=100").body().toString();
        assertTrue(
                events.contains("\"warn\",\"message\":\"update 1: all gradients are 0, so nothing is learned from its "
                        + "batch; use prompts and a grader"),
                events);
    }

    @Test
    void tooFewPromptsAndHyperparametersWithoutEffectAreRefused() throws InterruptedException {
        String few = server.upload(prompts(0, 3));
        String other = server.upload(prompts(3, 6));
        String id = server.job(job(few, other, "{}"));
        JsonNode failed = server.await(id, "succeeded", "failed");
        assertEquals("training_file", failed.path("error").path("param").asText(), failed.toString());
        TestServer.Reply effort = server.post("/v1/fine_tuning/jobs",
                job(few, other, "{\"reasoning_effort\": \"high\"}"));
        assertEquals("method.reinforcement.hyperparameters.reasoning_effort", effort.error().path("param").asText());
    }

    @Test
    void aGraderIsTriedByItself() {
        TestServer.Reply run = server.post("/v1/fine_tuning/alpha/graders/run", "{\"grader\": " + GRADER
                + ", \"item\": {\"answer\": \"90\"}, \"model_sample\": \"60\"}");
        assertEquals(0.25, run.get("reward").asDouble(), run.body().toString());
        assertEquals(0.5, run.get("sub_rewards").path("near").asDouble());
        assertEquals("both", run.get("metadata").path("name").asText());
        assertEquals("multi", server.post("/v1/fine_tuning/alpha/graders/validate", "{\"grader\": " + GRADER + "}")
                .get("grader").path("type").asText());
        TestServer.Reply missing = server.post("/v1/fine_tuning/alpha/graders/run", "{\"grader\": " + GRADER
                + ", \"item\": {}, \"model_sample\": \"60\"}");
        assertEquals(400, missing.status());
        assertTrue(missing.error().path("message").asText().contains("no 'answer'"), missing.body().toString());
        TestServer.Reply python = server.post("/v1/fine_tuning/alpha/graders/validate",
                "{\"grader\": {\"type\": \"python\", \"source\": \"\"}}");
        assertTrue(python.error().path("message").asText().contains("Python"), python.body().toString());
    }
}
