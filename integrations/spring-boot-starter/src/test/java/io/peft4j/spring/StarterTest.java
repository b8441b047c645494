package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.models.PeftAdapters;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** An application on the tiny model: it answers, is taught by HTTP, and follows its folder of adapters. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT, classes = StarterTest.Application.class,
        properties = {"peft4j.model=tiny", "peft4j.reload=100ms", "peft4j.tuning.enabled=true",
            "peft4j.decisions.rotations=2", "peft4j.tuning.guard-items=12",
            "peft4j.tuning.epochs=30", "peft4j.tuning.learning-rate=5e-3",
            "management.endpoints.web.exposure.include=health,metrics",
            "management.endpoint.health.show-details=always"})
@Tag("jdk")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StarterTest {
    private static final String QUESTION = "Where do I report a broken window?";
    private static final String ANSWER = "At Larkenfell, broken windows are reported in the Pane Book.";
    private static final String LATER = "At Larkenfell, broken windows are reported to Gus.";

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    static Path adapters;

    @Autowired
    private ChatModel chat;
    @Autowired
    private EmbeddingModel embeddings;
    @Autowired
    private PeftDecisions decisions;
    @Autowired
    private PeftAdapters models;
    @Value("${local.server.port}")
    private int port;

    /** The application. */
    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {
        @RestController
        static class Questions {
            private final ChatModel chat;

            Questions(ChatModel chat) {
                this.chat = chat;
            }

            @GetMapping("/ask")
            String ask(@RequestParam("model") String model) {
                return chat.call(new Prompt(QUESTION, ChatOptions.builder().model(model).build())).toString();
            }
        }
    }

    @DynamicPropertySource
    static void folder(DynamicPropertyRegistry registry) {
        registry.add("peft4j.adapters", adapters::toString);
    }

    private HttpResponse<String> http(HttpRequest.Builder request) throws IOException, InterruptedException {
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port + path));
    }

    private String get(String path) throws IOException, InterruptedException {
        return http(to(path).GET()).body();
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return http(to(path).header("Content-Type", "text/plain").POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private static void until(Callable<Boolean> there) throws Exception {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        while (!there.call()) {
            assertTrue(System.nanoTime() < end, "it does not come");
            Thread.sleep(50);
        }
    }

    private static String row(String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + QUESTION
                + "\"}, {\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}\n";
    }

    private void teach(String name, String answer) throws Exception {
        assertEquals(202, post("/peft4j/adapters/" + name + "?replace=true", row(answer)).statusCode());
        until(() -> get("/peft4j/adapters").contains("\"state\":\"done\",\"decision\":\"need_more_items\""));
    }

    private String ask(String adapter) {
        return chat.call(new Prompt(QUESTION, ChatOptions.builder().model(adapter).build())).getResult().getOutput()
                .getText();
    }

    @Test
    @Order(1)
    void withoutAdaptersTheBaseAnswers() throws Exception {
        assertEquals(models.base().generate(QUESTION), ChatClient.create(chat).prompt().user(QUESTION).call()
                .content());
        assertTrue(get("/actuator/health").contains("\"weights\""), get("/actuator/health"));
        assertEquals(256, embeddings.dimensions());
        DecisionQuestion question = DecisionQuestion.choice("Which team?", List.of("billing", "login"));
        assertEquals(new DecisionModel(models.base()).withRotations(2).decide("charged twice", question), decisions
                .model().decide("charged twice", question));
        String message = assertThrows(PeftAdapters.UnknownAdapterException.class, () -> ask("hr")).getMessage();
        assertTrue(message.startsWith("unknown adapter 'hr'; none exist"), message);
        assertEquals(200, http(to("/ask?model=__base__").GET()).statusCode());
        HttpResponse<String> unknown = http(to("/ask?model=hr").GET());
        assertEquals(404, unknown.statusCode());
        assertTrue(unknown.body().contains("unknown adapter 'hr'"), unknown.body());
    }

    @Test
    @Order(2)
    void anAdapterThatIsTaughtByHttpAnswers() throws Exception {
        teach("hr", ANSWER);
        assertEquals(ANSWER, ask("hr"));
        assertEquals(ANSWER, chat.call(QUESTION), "the only adapter is the usual one");
        assertFalse(ask("__base__").contains("Larkenfell"));
        assertTrue(Files.exists(adapters.resolve("hr/adapter_model.safetensors")));
        ChatResponse response = chat.call(new Prompt(QUESTION));
        assertEquals("hr", response.getMetadata().getModel());
        assertTrue(response.getMetadata().getUsage().getCompletionTokens() > 5);
        assertEquals("STOP", response.getResult().getMetadata().getFinishReason());
        String streamed = chat.stream(new Prompt(QUESTION)).collectList().block().stream()
                .map(piece -> piece.getResult().getOutput().getText()).collect(Collectors.joining());
        assertEquals(ANSWER, streamed);
        assertTrue(get("/actuator/metrics/peft4j.answers?tag=adapter:hr").contains("\"COUNT\""));
        assertTrue(get("/actuator/metrics/peft4j.adapters").contains("1.0"));
        assertTrue(get("/actuator/metrics/gen_ai.client.operation?tag=gen_ai.response.model:hr").contains("\"COUNT\""));
        assertTrue(get("/actuator/metrics/gen_ai.client.token.usage?tag=gen_ai.token.type:output").contains(
                "\"COUNT\""));
        String version = Sha256.of(adapters.resolve("hr/adapter_model.safetensors")).substring(0, 12);
        assertTrue(get("/actuator/health").contains("\"adapters\":{\"hr\":\"" + version + "\"}"),
                get("/actuator/health"));
        assertEquals(400, post("/peft4j/adapters/a.b", row(ANSWER)).statusCode());
        assertEquals(400, post("/peft4j/adapters/new", "no JSON").statusCode());
    }

    @Test
    @Order(3)
    void anAdapterIsNotReplacedUnlessThatIsAskedFor() throws Exception {
        HttpResponse<String> refused = post("/peft4j/adapters/hr", row(LATER));
        assertEquals(409, refused.statusCode(), refused.body());
        assertTrue(refused.body().contains("there is an adapter 'hr' already"), refused.body());
        assertEquals(ANSWER, ask("hr"));
    }

    /** As curl sends them if no type is given. */
    @Test
    @Order(4)
    void rowsAsAFormAreRefusedWithTheRightType() throws Exception {
        HttpResponse<String> refused = http(to("/peft4j/adapters/new").header("Content-Type",
                "application/x-www-form-urlencoded").POST(HttpRequest.BodyPublishers.ofString(row(ANSWER))));
        assertEquals(415, refused.statusCode(), refused.body());
        assertTrue(refused.body().contains("curl -H 'Content-Type: application/jsonl' --data-binary @rows.jsonl"),
                refused.body());
        assertEquals(400, http(to("/peft4j/adapters/new").header("Content-Type", "application/jsonl")
                .POST(HttpRequest.BodyPublishers.ofString("no JSON"))).statusCode());
    }

    @Test
    @Order(5)
    void aFolderWithAConfigurationAndNoWeightsIsNamed() throws Exception {
        Path half = Files.createDirectory(adapters.resolve("half"));
        Files.copy(adapters.resolve("hr/adapter_config.json"), half.resolve("adapter_config.json"));
        until(() -> models.problems().containsKey("half"));
        String problem = models.problems().get("half");
        assertTrue(problem.contains(half.toString()) && problem.contains("no adapter_model.safetensors"), problem);
        assertTrue(get("/actuator/health").contains("no adapter_model.safetensors"), get("/actuator/health"));
        String message = assertThrows(ConfigurationException.class, () -> ask("half")).getMessage();
        assertTrue(message.startsWith("the adapter 'half' cannot be loaded: "), message);
        assertEquals(200, http(to("/actuator/health").GET()).statusCode(), "the one for all requests answers");
        assertEquals(ANSWER, chat.call(QUESTION));
        Files.delete(half.resolve("adapter_config.json"));
        until(() -> models.problems().isEmpty());
        assertEquals(ANSWER, chat.call(QUESTION));
    }

    @Test
    @Order(6)
    void whatComesChangesAndGoesInTheFolderDoesSoInTheApplication() throws Exception {
        Path other = Files.createDirectory(adapters.resolve("other"));
        for (String name : new String[] {"adapter_model.safetensors", "adapter_config.json"}) {
            Files.copy(adapters.resolve("hr").resolve(name), other.resolve(name));
        }
        until(() -> models.names().contains("other"));
        assertEquals(ANSWER, ask("other"));
        String message = assertThrows(ConfigurationException.class, () -> chat.call(QUESTION)).getMessage();
        assertTrue(message.contains("[hr, other]") && message.contains("peft4j.default-adapter"), message);
        assertEquals(503, http(to("/actuator/health").GET()).statusCode());
        assertTrue(get("/actuator/health").contains("peft4j.default-adapter"), get("/actuator/health"));
        assertThrows(ConfigurationException.class, () -> embeddings.embed(QUESTION));
        assertFalse(ask("__base__").contains("Larkenfell"));
        assertFalse(ask("tiny").contains("Larkenfell"), "the base's own name");

        teach("hr", LATER);
        assertEquals(LATER, ask("hr"));
        assertEquals(ANSWER, ask("other"));

        Files.writeString(other.resolve("adapter_model.safetensors"), "damaged");
        until(() -> models.problems().containsKey("other"));
        assertEquals(ANSWER, ask("other"), "the one before it goes on answering");
        assertEquals(503, http(to("/actuator/health").GET()).statusCode());
        assertTrue(get("/actuator/health").contains("\"problems\""));

        Files.delete(other.resolve("adapter_config.json"));
        until(() -> !models.names().contains("other"));
        assertEquals(200, http(to("/actuator/health").GET()).statusCode());
        assertEquals(LATER, chat.call(QUESTION));

        Files.delete(adapters.resolve("hr/adapter_config.json"));
        until(() -> models.names().isEmpty());
        assertTrue(assertThrows(ConfigurationException.class, () -> chat.call(QUESTION)).getMessage()
                .startsWith("unknown adapter 'hr'"), "the base does not take its place");
    }
}
