package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.answer.AnsweringOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What answers keeps answering, whatever becomes of jobs and adapters around it. */
class ModelsThatStayTest {
    private static final String JOBS = "/v1/fine_tuning/jobs/";

    @TempDir
    static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        Path root = folder.resolve("adapters");
        Path adapter = TestServer.MODEL.resolveSibling("adapters").resolve("lora");
        for (String name : List.of("hr", "damaged")) {
            Files.createDirectories(root.resolve(name));
            for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
                Files.copy(adapter.resolve(file), root.resolve(name).resolve(file));
            }
        }
        Path weights = root.resolve("damaged").resolve("adapter_model.safetensors");
        Files.write(weights, Arrays.copyOf(Files.readAllBytes(weights), 100));
        Files.createDirectories(root.resolve("half"));
        Files.copy(adapter.resolve("adapter_config.json"), root.resolve("half/adapter_config.json"));
        server = TestServer.start(folder.resolve("data"), builder -> builder.answering(AnsweringOptions.defaults()
                .withAdapterRoots(root)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static int asked(String model) {
        return server.post("/v1/chat/completions", "{\"model\": \"" + model + "\", \"max_tokens\": 2, \"messages\": "
                + "[{\"role\": \"user\", \"content\": \"Who is there?\"}]}").status();
    }

    private static String answer(String model) {
        TestServer.Reply reply = server.post("/v1/chat/completions", "{\"model\": \"" + model + "\", "
                + "\"max_tokens\": 12, \"temperature\": 0, \"messages\": [{\"role\": \"user\", \"content\": "
                + "\"Who is there?\"}]}");
        assertEquals(200, reply.status(), reply.toString());
        return reply.body().at("/choices/0/message/content").asText();
    }

    private static TestServer.Reply load(String name, String path) {
        return server.post("/v1/load_lora_adapter", "{\"lora_name\": \"" + name + "\", \"lora_path\": \"" + path
                + "\", \"load_inplace\": true}");
    }

    private static TestServer.Reply unload(String name) {
        return server.post("/v1/unload_lora_adapter", "{\"lora_name\": \"" + name + "\"}");
    }

    private static String job(int epochs) {
        return server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + server.upload(TestServer.rows(0, 12))
                + "\", \"hyperparameters\": {\"n_epochs\": " + epochs + ", \"batch_size\": 4}}");
    }

    @Test
    void anAdapterAnswersUntilAnotherCanTakeItsPlace() {
        assertEquals(200, load("hr", "hr").status());
        TestServer.Reply refused = load("hr", "damaged");
        assertEquals(400, refused.status());
        assertEquals("lora_path", refused.error().get("param").asText());
        assertFalse(refused.error().get("message").asText().contains(folder.toString()), refused.toString());
        assertEquals(200, asked("hr"));
        assertEquals(200, load("hr", "hr").status());
        assertEquals(200, asked("hr"));
        assertEquals(200, unload("hr").status());
        assertEquals(404, asked("hr"));
    }

    /** As many as there are names for: those that were asked longest ago leave, and come back. */
    @Test
    @Tag("full")
    void adaptersLeaveTheMemoryAndComeBack() {
        for (int i = 0; i < 140; i++) {
            assertEquals(200, load("many-" + i, "hr").status());
        }
        assertTrue(inMemory() <= 128, inMemory() + " adapters");
        assertEquals(answer("many-139"), answer("many-0"));
        for (int i = 0; i < 140; i++) {
            assertEquals(200, unload("many-" + i).status());
        }
        assertTrue(inMemory() < 10, inMemory() + " adapters");
        assertEquals(404, asked("many-0"));
    }

    private static int inMemory() {
        return server.get("/metrics").body().asText().lines().filter(line -> line.startsWith("peft4j_adapters "))
                .mapToInt(line -> (int) Double.parseDouble(line.substring(line.indexOf(' ') + 1))).findFirst()
                .orElseThrow();
    }

    @Test
    void weightsThatAreTooLargeToComputeWithAreAnError() throws IOException {
        Path huge = folder.resolve("adapters").resolve("huge");
        try (BaseModel base = TestServer.load();
                PeftModel model = PeftModel.load(base, folder.resolve("adapters").resolve("hr"))) {
            model.trainableParameters().forEach(parameter -> parameter.value().assign(1e30));
            model.saveAdapter(huge);
        }
        assertEquals(200, load("huge", "huge").status());
        TestServer.Reply reply = server.post("/v1/chat/completions", "{\"model\": \"huge\", \"max_tokens\": 2, "
                + "\"messages\": [{\"role\": \"user\", \"content\": \"Who is there?\"}]}");
        assertEquals(500, reply.status(), reply.toString());
        assertEquals("non_finite_output", reply.error().get("code").asText());
        assertTrue(reply.error().get("message").asText().contains("non-finite"), reply.toString());
        assertEquals(200, asked("tiny-llama"));
    }

    @Test
    void aFolderWithAConfigurationAndNoWeightsIsNamed() {
        TestServer.Reply refused = load("half", "half");
        assertEquals(400, refused.status());
        assertEquals("half: has adapter_config.json and no adapter_model.safetensors; it contains "
                + "[adapter_config.json]", refused.error().get("message").asText());
        assertEquals(404, asked("half"));
    }

    /** Whoever may write below a root gets nothing of what lies elsewhere. */
    @Test
    void linksOutOfTheRootsAreNotFollowedAndNothingIsQuoted() throws IOException {
        Path root = folder.resolve("adapters");
        Path adapter = TestServer.MODEL.resolveSibling("adapters").resolve("lora").toRealPath();
        Path secret = Files.writeString(folder.resolve("secret.txt"), "hunter2:x:0:0");
        for (String[] link : new String[][] {{"adapter_config.json", secret.toString()},
            {"adapter_config.json", folder.resolve("nowhere").toString()},
            {"adapter_model.safetensors", adapter.resolve("adapter_model.safetensors").toString()},
            {"adapter_model.safetensors", "../../secret.txt"}}) {
            Path linked = Files.createTempDirectory(root, "linked");
            for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
                if (file.equals(link[0])) {
                    Files.createSymbolicLink(linked.resolve(file), Path.of(link[1]));
                } else {
                    Files.copy(adapter.resolve(file), linked.resolve(file));
                }
            }
            TestServer.Reply refused = load("linked", linked.getFileName().toString());
            assertEquals(400, refused.status(), refused.toString());
            assertTrue(refused.error().get("message").asText().startsWith("the adapter's file '" + link[0]
                    + "' is a link that leads out of"), refused.toString());
            assertFalse(refused.toString().contains("hunter2"), refused.toString());
        }
        Path mixture = Files.createDirectories(root.resolve("mixture"));
        Files.copy(adapter.resolve("adapter_model.safetensors"), mixture.resolve("adapter_model.safetensors"));
        for (String elsewhere : List.of(adapter.toString(), "../..")) {
            Files.writeString(mixture.resolve("adapter_config.json"),
                    "{\"peft_type\": \"XLORA\", \"adapters\": {\"a\": \"" + elsewhere + "\"}}");
            assertEquals("the adapter is made of others outside of the folders that the server loads from",
                    load("mixture", "mixture").error().get("message").asText());
        }
        Path text = Files.createDirectories(root.resolve("text"));
        Files.copy(adapter.resolve("adapter_model.safetensors"), text.resolve("adapter_model.safetensors"));
        Files.writeString(text.resolve("adapter_config.json"), "hunter2:x:0:0");
        TestServer.Reply refused = load("text", "text");
        assertEquals(400, refused.status());
        assertFalse(refused.toString().contains("hunter2"), refused.toString());
        // As in a cache of the hub, whose snapshots are links to files beside them.
        Path inside = Files.createDirectories(root.resolve("inside"));
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.createSymbolicLink(inside.resolve(file), Path.of("../hr").resolve(file));
        }
        assertEquals(200, load("inside", "inside").status());
        assertEquals(200, unload("inside").status());
    }

    @Test
    void aRequestIsAnsweredByTheModelThatItNamesOrByNone() {
        assertEquals(200, load("only", "hr").status());
        assertEquals(answer("tiny-llama"), answer(PeftModel.BASE));
        assertNotEquals(answer("tiny-llama"), answer("only"));
        assertEquals(404, asked("gpt-4o"));
        TestServer.Reply none = server.post("/v1/chat/completions", "{\"messages\": [{\"role\": \"user\", "
                + "\"content\": \"Who is there?\"}]}");
        assertEquals(400, none.status());
        assertEquals("model", none.error().get("param").asText());
        for (String name : List.of("tiny-llama", PeftModel.BASE)) {
            assertEquals("lora_name", load(name, "hr").error().get("param").asText());
        }
        unload("only");
    }

    @Test
    void whereTheTemplateHasNoToolsModelsThatHaveThemAreNamed() {
        TestServer.Reply refused = server.post("/v1/chat/completions", "{\"model\": \"tiny-llama\", \"tools\": "
                + "[{\"type\": \"function\", \"function\": {\"name\": \"time\"}}], \"messages\": [{\"role\": "
                + "\"user\", \"content\": \"What time is it?\"}]}");
        assertEquals(400, refused.status());
        assertEquals("tools", refused.error().get("param").asText());
        assertTrue(refused.error().get("message").asText().contains("Qwen/Qwen3-0.6B"), refused.toString());
    }

    /** A client that unloads an adapter has its folder; of a tuned model there is but one. */
    @Test
    void aTunedModelIsNeitherUnloadedNorReplaced() throws InterruptedException {
        String tuned = server.await(job(1), "succeeded").get("fine_tuned_model").asText();
        for (String name : List.of(tuned, "tiny-llama")) {
            for (TestServer.Reply reply : List.of(unload(name), load(name, "hr"))) {
                assertEquals(400, reply.status(), reply.toString());
                assertEquals("lora_name", reply.error().get("param").asText());
            }
            assertEquals(200, asked(name));
        }
    }

    /** Who sees that more epochs make it worse cancels, and takes the best of those that there are. */
    @Test
    void checkpointsOfACancelledJobAnswer() throws InterruptedException {
        String id = job(50);
        JsonNode checkpoints = server.get(JOBS + id + "/checkpoints").get("data");
        for (int i = 0; i < 3000 && checkpoints.isEmpty(); i++) {
            Thread.sleep(10);
            checkpoints = server.get(JOBS + id + "/checkpoints").get("data");
        }
        assertEquals(200, server.post(JOBS + id + "/cancel", "").status());
        Path run = folder.resolve("data/jobs").resolve(id).resolve("run");
        for (int i = 0; i < 3000 && Files.exists(run); i++) {
            Thread.sleep(10);
        }
        assertFalse(Files.exists(run), "what only the job needed is gone");
        String checkpoint = checkpoints.get(0).get("fine_tuned_model_checkpoint").asText();
        assertEquals(200, asked(checkpoint));
        assertEquals(200, server.delete("/v1/models/" + checkpoint).status());
        assertEquals(404, asked(checkpoint));
    }
}
