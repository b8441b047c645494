package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server does on a base model, which has no chat template: it continues texts, and says what chats need. */
class ModelWithoutTemplateTest {
    @TempDir
    private Path folder;

    private Path model() throws IOException {
        Path model = Files.createDirectory(folder.resolve("base"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
            Files.copy(TestServer.MODEL.resolve(name), model.resolve(name));
        }
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode) json.readTree(TestServer.MODEL.resolve("tokenizer_config.json").toFile());
        config.remove("chat_template");
        json.writeValue(model.resolve("tokenizer_config.json").toFile(), config);
        return model;
    }

    @Test
    void textsGoOnAndChatsAndJobsSayThatATemplateIsMissing() throws IOException, InterruptedException {
        try (BaseModel base = TestServer.load(model());
                TestServer server = TestServer.start(base, folder.resolve("data"), builder -> builder
                        .modelName("base"))) {
            TestServer.Reply text = server.post("/v1/completions",
                    "{\"model\": \"base\", \"prompt\": \"The keeper\", \"max_tokens\": 4}");
            assertEquals(200, text.status(), text.toString());
            assertFalse(text.get("choices").get(0).get("text").asText().isEmpty(), text.toString());

            TestServer.Reply chat = server.post("/v1/chat/completions",
                    "{\"model\": \"base\", \"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}");
            assertEquals(400, chat.status());
            assertEquals("invalid_request_error", chat.error().get("type").asText());
            assertEquals("no_chat_template", chat.error().get("code").asText());
            assertTrue(chat.error().get("message").asText().endsWith("has no chat template; ask it with a "
                    + "prompt at /v1/completions, or let the server be started with a chat template"), chat.toString());

            String file = server.upload(TestServer.rows(0, 12));
            JsonNode job = server.await(server.job("{\"model\": \"base\", \"training_file\": \"" + file + "\"}"),
                    "failed", "succeeded");
            assertEquals("invalid_model", job.path("error").path("code").asText(), job.toString());
            assertTrue(job.path("error").path("message").asText().contains("train another model"), job.toString());
        }
    }
}
