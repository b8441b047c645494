package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SageMaker's container as a process: signals, a disk that is full, and answers over HTTP. */
class SageMakerProcessTest {
    /** How often the job is interrupted: {@code -Dpeft4j.kills=25} does so often. */
    private static final int STOPS = Integer.getInteger("peft4j.kills", 2);
    private static final String WEIGHTS = "model/adapter_model.safetensors";

    @TempDir
    Path folder;

    private JavaProcess start(List<String> before, MlFolder ml, Object... words) throws IOException {
        Path stdin = Files.write(folder.resolve("empty"), List.of());
        return JavaProcess.start(folder, stdin, Map.of("PEFT4J_MODEL", MlFolder.MODEL.toString()), before, words);
    }

    private static MlFolder longJob(Path root) {
        return MlFolder.of(root, Map.of("epochs", "40", "checkpoint_steps", "20"));
    }

    @Tag("full")
    @Test
    void aJobThatIsStoppedAtAnyMomentGoesOnBitForBit() throws Exception {
        MlFolder straight = longJob(folder.resolve("straight"));
        assertEquals(0, CommandRun.of("sagemaker", "train", "--root", straight.root()).status());

        MlFolder ml = longJob(folder.resolve("stopped"));
        SplittableRandom random = new SplittableRandom(Long.getLong("peft4j.seed", 7));
        for (int i = 0; i < STOPS; i++) {
            JavaProcess run = start(List.of(), ml, "sagemaker", "train", "--root", ml.root());
            // The first time as soon as there is something to lose, then at any moment.
            if (i == 0) {
                while (run.process().isAlive() && !run.out().contains("step=25 ")) {
                    TimeUnit.MILLISECONDS.sleep(20);
                }
            } else {
                TimeUnit.MILLISECONDS.sleep(random.nextLong(5000));
            }
            run.process().destroy();
            int status = run.status();
            assertTrue(status == 128 + 15 || i > 0 && status == 0, run.err());
            if (i == 0) {
                assertTrue(run.err().contains("stopped: cancelled after"), run.err());
                assertFalse(ml.has("output/failure"), "to be stopped is not to fail");
                assertTrue(ml.has("model/adapter_config.json"));
                assertTrue(ml.text("output/data/metrics.jsonl").contains("\"step\":25"));
            }
        }
        JavaProcess rest = start(List.of(), ml, "sagemaker", "train", "--root", ml.root());
        assertEquals(0, rest.status(), rest.err());
        assertFalse(ml.has("output/failure"));
        assertArrayEquals(straight.bytes(WEIGHTS), ml.bytes(WEIGHTS));
        assertEquals(120, ml.text("output/data/metrics.jsonl").lines().count());
    }

    /** A limit on the size of files replaces a full disk: it is met while the adapter is written. */
    @Tag("full")
    @Test
    void aDiskThatDoesNotTakeTheAdapterIsAFailure() throws Exception {
        // Unpacks the native libraries, which are larger than the limit, where another time zone had unpacked them.
        BaseModel.load(MlFolder.MODEL.toString()).close();
        MlFolder ml = MlFolder.of(folder.resolve("ml"), Map.of("rank", "64"));
        JavaProcess run = start(List.of("bash", "-c", "ulimit -f 100; exec \"$@\"", "bash"), ml, "sagemaker", "train",
                "--root", ml.root());
        assertEquals(1, run.status(), run.err());
        assertFalse(ml.has("model/adapter_config.json"));
        assertTrue(ml.failure().contains("adapter_model.safetensors"), ml.failure());
        assertTrue(ml.failure().contains("File too large"), ml.failure());
    }

    @Tag("full")
    @Test
    void vertexAiRunsTheSameByItsVariables() throws Exception {
        Path data = Files.write(folder.resolve("train.jsonl"), List.of(
                "{\"systemInstruction\": {\"role\": \"system\", \"parts\": [{\"text\": \"Be brief.\"}]}, "
                        + "\"contents\": [{\"role\": \"user\", \"parts\": [{\"text\": \"Who?\"}]}, "
                        + "{\"role\": \"model\", \"parts\": [{\"text\": \"The keeper.\"}]}]}"));
        Path model = folder.resolve("model");
        Path stdin = Files.write(folder.resolve("empty"), List.of());
        JavaProcess run = JavaProcess.start(folder, stdin, Map.of("PEFT4J_MODEL", MlFolder.MODEL.toString(),
                "PEFT4J_RANK", "4", "PEFT4J_EPOCHS", "9", "AIP_DATA_FORMAT", "jsonl", "AIP_MODEL_DIR",
                model.toString(), "AIP_CHECKPOINT_DIR", folder.resolve("checkpoints").toString(),
                "AIP_TENSORBOARD_LOG_DIR", folder.resolve("logs").toString(), "AIP_TRAINING_DATA_URI",
                data.toString(), "AIP_VALIDATION_DATA_URI", data.toString()), List.of(), "vertex", "train", "--",
                "--epochs", 2);
        assertEquals(0, run.status(), run.err());
        assertEquals(2, run.out().lines().filter(line -> line.contains(" train_loss=")).count(), run.out());
        assertEquals(1, CommandRun.read(model.resolve("tuning_data_stats.json")).at(
                "/tuningDataStats/supervisedTuningDataStats/tuningDatasetExampleCount").asInt());
        assertEquals(1, CommandRun.read(model.resolve("evaluation.json")).get("n").asInt());
        assertTrue(Files.list(folder.resolve("logs")).findFirst().isPresent());

        JavaProcess server = JavaProcess.start(folder, stdin, Map.of("PEFT4J_MODEL", MlFolder.MODEL.toString(),
                "AIP_STORAGE_URI", model.toString(), "AIP_HTTP_PORT", "0", "AIP_HEALTH_ROUTE", "/healthz",
                "AIP_PREDICT_ROUTE", "/v1/predict"), List.of(), "vertex", "serve");
        String address = ServerProcess.address(server);
        String answer = ServerProcess.post(address + "/v1/predict",
                "{\"instances\": [{\"prompt\": \"Who?\"}, \"Who?\"], \"parameters\": {\"maxOutputTokens\": 5}}", 200);
        assertEquals(2, CommandRun.parse(answer).get("predictions").size());
        server.process().destroy();
        assertEquals(128 + 15, server.status(), server.err());
    }

    @Test
    void anEndpointAnswersAndEndsInOrder() throws Exception {
        MlFolder ml = MlFolder.of(folder.resolve("ml"), Map.of());
        assertEquals(0, CommandRun.of("sagemaker", "train", "--root", ml.root()).status());
        assertFalse(ml.has("model/config.json"), "the base is named by the variable");
        JavaProcess server = start(List.of(), ml, "sagemaker", "serve", "--root", ml.root(), "--port", 0, "--dtype",
                "f32");
        String address = ServerProcess.address(server);
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest ping = HttpRequest.newBuilder(URI.create(address + "/ping")).build();
        assertEquals(200, client.send(ping, HttpResponse.BodyHandlers.ofString()).statusCode());

        String expected = CommandRun.parse(CommandRun.succeeding("generate", "--model", MlFolder.MODEL, "--adapter",
                ml.root().resolve("model"), "--prompt", "Who is number 3?", "--max-new-tokens", 8, "--dtype", "f32",
                "--json").out()).get("text").asText();
        ObjectMapper json = new ObjectMapper();
        assertEquals(expected, json.readTree(ServerProcess.post(address + "/invocations",
                "{\"prompt\": \"Who is number 3?\", \"max_new_tokens\": 8}", 200)).get("text").asText());
        assertEquals(expected, json.readTree(ServerProcess.post(address + "/invocations",
                "{\"inputs\": \"Who is number 3?\", \"parameters\": {\"max_new_tokens\": 8}}", 200)).get(0)
                .get("generated_text").asText());
        JsonNode chat = json.readTree(ServerProcess.post(address + "/invocations", "{\"messages\": [{\"role\": "
                + "\"user\", \"content\": \"Who is number 3?\"}], \"max_completion_tokens\": 8}", 200));
        assertEquals("chat.completion", chat.get("object").asText());
        assertEquals(expected, chat.at("/choices/0/message/content").asText());
        assertEquals("assistant", chat.at("/choices/0/message/role").asText());
        assertTrue(List.of("stop", "length").contains(chat.at("/choices/0/finish_reason").asText()), chat.toString());
        assertTrue(chat.at("/usage/prompt_tokens").asInt() > 0, chat.toString());
        assertEquals(chat.at("/usage/total_tokens").asInt(), chat.at("/usage/prompt_tokens").asInt()
                + chat.at("/usage/completion_tokens").asInt());
        String streamed = ServerProcess.post(address + "/invocations", "{\"messages\": [{\"role\": \"user\", "
                + "\"content\": \"Who is number 3?\"}], \"max_tokens\": 8, \"stream\": true, \"stream_options\": "
                + "{\"include_usage\": true}}", 200);
        assertTrue(streamed.endsWith("data: [DONE]\n\n"), streamed);
        List<JsonNode> chunks = new ArrayList<>();
        for (String event : streamed.replace("data: [DONE]", "").split("\n\n")) {
            if (event.startsWith("data: ")) {
                chunks.add(json.readTree(event.substring(6)));
            }
        }
        assertTrue(chunks.size() > 3, "it comes in pieces: " + streamed);
        assertEquals(expected, chunks.stream().map(chunk -> chunk.at("/choices/0/delta/content").asText(""))
                .collect(Collectors.joining()));
        assertEquals("assistant", chunks.get(0).at("/choices/0/delta/role").asText());
        assertEquals(chat.at("/choices/0/finish_reason"), chunks.get(chunks.size() - 2).at("/choices/0/finish_reason"));
        assertEquals(chat.get("usage"), chunks.get(chunks.size() - 1).get("usage"));
        assertTrue(ServerProcess.post(address + "/invocations", "{\"messages\": [], \"stream\": true}", 400)
                .contains("error"), "before it begins, it is an error with a status");
        assertTrue(ServerProcess.post(address + "/invocations", "{\"prompt\": 5}", 400).contains("error"));

        server.process().destroy();
        assertEquals(128 + 15, server.status(), server.err());
        assertTrue(server.err().contains("Answering what has been asked, then stopping"), server.err());
    }
}
