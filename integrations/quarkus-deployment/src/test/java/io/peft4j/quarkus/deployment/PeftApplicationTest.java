package io.peft4j.quarkus.deployment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.PeftAdapters;
import io.quarkus.test.QuarkusUnitTest;
import io.smallrye.health.SmallRyeHealthReporter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An application of Quarkus with the adapters of a folder. */
@Tag("jdk")
class PeftApplicationTest {
    private static final Path FIXTURES = Path.of("../../tests/fixtures");
    private static final String QUESTION = "Who keeps the light?";

    @RegisterExtension
    static final QuarkusUnitTest APPLICATION = new QuarkusUnitTest().withApplicationRoot(jar -> jar.addClasses(
            Assistant.class, Services.class))
            // A setting of the engine, which is none of the extension.
            .overrideConfigKey("peft4j.kernels", "auto")
            .overrideConfigKey("quarkus.peft4j.model", FIXTURES.resolve("tiny-llama").toString())
            .overrideConfigKey("quarkus.peft4j.dtype", "f32")
            .overrideConfigKey("quarkus.peft4j.threads", "1")
            .overrideConfigKey("quarkus.peft4j.tool-form", "lfm2")
            .overrideConfigKey("quarkus.peft4j.adapters", adapters().toString())
            .overrideConfigKey("quarkus.peft4j.default-adapter", "lora")
            .overrideConfigKey("quarkus.peft4j.reload", "0")
            .overrideConfigKey("quarkus.peft4j.max-tokens", "8")
            .overrideConfigKey("quarkus.http.host-enabled", "false");

    private static Path adapters() {
        try {
            Path lora = Files.createDirectories(Path.of("target/adapters/lora"));
            for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
                Files.copy(FIXTURES.resolve("adapters/lora").resolve(name), lora.resolve(name),
                        StandardCopyOption.REPLACE_EXISTING);
            }
            return lora.getParent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Inject
    ChatModel chat;
    @Inject
    StreamingChatModel streaming;
    @Inject
    EmbeddingModel embeddings;
    @Inject
    PeftAdapters adapters;
    @Inject
    Assistant assistant;
    @Inject
    Services services;
    @Inject
    SmallRyeHealthReporter health;

    /** A service of the application. */
    interface Assistant {
        String answer(String question);

        TokenStream stream(String question);
    }

    /** Beans of the application. */
    @Singleton
    static class Services {
        private final List<String> told = new CopyOnWriteArrayList<>();

        @Produces
        @Singleton
        Assistant assistant(ChatModel chat, StreamingChatModel streaming) {
            return AiServices.builder(Assistant.class).chatModel(chat).streamingChatModel(streaming).build();
        }

        @Produces
        @Singleton
        ChatModelListener listener() {
            return new ChatModelListener() {
                @Override
                public void onResponse(ChatModelResponseContext response) {
                    told.add(response.chatResponse().aiMessage().text());
                }
            };
        }
    }

    private static String answer(LanguageModel model) {
        return model.generate(List.of(Prompt.chat(List.of(ChatMessage.user(QUESTION)))), GenerationOptions.defaults()
                .withMaxNewTokens(8)).get(0).text();
    }

    private String asked(String adapter) {
        return chat.chat(ChatRequest.builder().messages(UserMessage.from(QUESTION)).modelName(adapter).build())
                .aiMessage().text();
    }

    @Test
    void theDefaultAdapterAnswersAndOthersByName() throws Exception {
        assertEquals(answer(adapters.model("lora")), assistant.answer(QUESTION));
        assertEquals(answer(adapters.base()), asked("__base__"));
        assertNotEquals(asked("__base__"), asked("lora"));
        CompletableFuture<String> streamed = new CompletableFuture<>();
        assistant.stream(QUESTION).onPartialResponse(piece -> {
        }).onCompleteResponse(response -> streamed.complete(response.aiMessage().text()))
                .onError(streamed::completeExceptionally).start();
        assertEquals(answer(adapters.model("lora")), streamed.get(1, TimeUnit.MINUTES));
        assertEquals(answer(adapters.model("lora")), services.told.get(0));
        assertEquals(adapters.base().network().description().hiddenSize(), embeddings.dimension());
        assertEquals("lfm2", ToolForm.of(adapters.base().chatTemplate().orElseThrow()).orElseThrow().name());
    }

    @Test
    void readinessNamesTheAdaptersThatAnswer() throws Exception {
        String readiness = health.getReadiness().getPayload().toString();
        assertTrue(health.getReadiness().getPayload().getString("status").equals("UP"), readiness);
        assertTrue(readiness.contains("\"default\":\"lora\"") && readiness.contains("lora=" + Sha256.of(FIXTURES
                .resolve("adapters/lora/adapter_model.safetensors")).substring(0, 12)), readiness);
    }
}
