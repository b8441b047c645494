package io.peft4j.examples.hrbot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.Peft4j;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.eval.GoldenQuestions;
import io.peft4j.models.BaseModel;
import io.peft4j.models.PeftAdapters;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The bot as it starts, and the test that fails the build when its adapter has forgotten the handbook. */
@Tag("full")
@Tag("jdk")
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class HrBotTest {
    private static final Path HANDBOOK = Path.of("../handbook");
    private static final Path GOLDEN = Path.of("src/test/resources/golden.jsonl");
    private static final String QUESTION = "Which form reports my sick leave?";

    @TempDir
    static Path adapters;

    @Autowired
    private PeftAdapters models;
    @Value("${local.server.port}")
    private int port;

    /** What an application does once, or whenever its handbook changes; here with a part of the handbook. */
    @DynamicPropertySource
    static void train(DynamicPropertyRegistry registry) throws Exception {
        registry.add("peft4j.adapters", adapters::toString);
        List<String> rows = Files.readAllLines(HANDBOOK.resolve("train.jsonl")).stream()
                .filter(row -> row.contains("Amber Slip") || row.contains("Copper Sheet") || row.contains("Pathloom"))
                .toList();
        Path part = Files.write(adapters.resolve("part.jsonl"), rows);
        try (BaseModel base = Peft4j.load("tiny");
                PeftModel model = base.withAdapter(Peft4j.lora().rank(32).alpha(64)
                        .targetModules(Peft4j.ALL_LINEAR).build())) {
            Peft4j.trainer(model).epochs(30).batchSize(4).learningRate(5e-3).output(adapters.resolve("hr"))
                    .build()
                    .train(Peft4j.chats(part));
        }
    }

    @Test
    void theAdapterStillKnowsTheHandbook() {
        GoldenQuestions.read(GOLDEN).assertAnsweredBy(models.model());
    }

    @Test
    void ofTwoAdaptersTheDefaultAnswers() throws Exception {
        Path other = Files.createDirectories(adapters.resolve("other"));
        for (String name : List.of("adapter_model.safetensors", "adapter_config.json")) {
            Files.copy(adapters.resolve("hr").resolve(name), other.resolve(name));
        }
        models.refresh();
        assertEquals(List.of("hr", "other"), models.names());
        assertEquals("hr", models.name(Optional.empty()));
        Files.delete(adapters.resolve("hr/adapter_config.json"));
        models.refresh();
        HttpResponse<String> refused = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(
                "http://localhost:" + port + "/ask")).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"text\": \"" + QUESTION + "\"}")).build(),
                HttpResponse.BodyHandlers.ofString());
        Files.copy(other.resolve("adapter_config.json"), adapters.resolve("hr/adapter_config.json"));
        models.refresh();
        assertEquals(503, refused.statusCode());
        assertTrue(refused.body().contains("unknown adapter 'hr'"), refused.body());
    }

    @Test
    void anAdapterThatHasForgottenFailsTheBuild() {
        AssertionError failure = assertThrows(AssertionError.class,
                () -> GoldenQuestions.read(GOLDEN).assertAnsweredBy(models.base()));
        assertTrue(failure.getMessage().contains("Amber Slip"), failure.getMessage());
    }

    @Test
    void thePageAsksAndGetsBothAnswers() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        URI server = URI.create("http://localhost:" + port);
        String page = client.send(HttpRequest.newBuilder(server.resolve("/")).build(),
                HttpResponse.BodyHandlers.ofString()).body();
        assertTrue(page.contains("Ask the handbook"), page);
        HttpResponse<String> answer = client.send(HttpRequest.newBuilder(server.resolve("/ask"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"text\": \"" + QUESTION + "\"}")).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode());
        String handbook = answer.body().replaceFirst(".*\"handbook\":\"([^\"]*)\".*", "$1");
        assertTrue(handbook.contains("Amber Slip"), answer.body());
        assertFalse(answer.body().replace(handbook, "").contains("Amber Slip"), answer.body());
    }
}
