package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.InternalServerException;
import com.openai.errors.PermissionDeniedException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.models.Model;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.ServerKeys;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's model of OpenAI, which knows nothing but the address; and errors as clients for Java have them. */
class LangChain4jClientTest {
    private static final LocalDate END = LocalDate.of(2999, 1, 14);
    private static final int TOKENS = 12;
    private static final String QUESTION = "What is the notice period?";

    @TempDir
    private static Path folder;
    private static BaseModel embedder;
    private static AnsweringServer server;
    private static String limited;

    @BeforeAll
    static void start() {
        embedder = BaseModel.load(AnsweringServer.FIXTURES.resolve("sentences/mean-normalized").toString(),
                ModelOptions.defaults().withTask(Task.EMBEDDING).withPrecision(ModelOptions.Precision.F32));
        server = new AnsweringServer(folder, builder -> builder.apiKey("secret")
                .adapter("ft:tiny:acme:hr:1", AnsweringServer.FIXTURES.resolve("adapters/lora"))
                .shutdown("ft:tiny:acme:hr:1", END)
                .adapter("old", AnsweringServer.FIXTURES.resolve("adapters/lora"))
                .shutdown("old", LocalDate.of(2026, 1, 1))
                .answering(AnsweringOptions.defaults().withModel("vectors", embedder)
                        .withTimeout(Duration.ofMinutes(2))));
        try (ServerKeys keys = ServerKeys.open(folder.resolve("data"), Optional.empty())) {
            limited = keys.add("limited", new ServerKeys.Limits(Optional.of(1L), Optional.empty(), Optional.empty(),
                    Optional.empty()));
        }
    }

    @AfterAll
    static void stop() {
        server.close();
        embedder.close();
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder chat(String key) {
        return OpenAiChatModel.builder().baseUrl(server.url()).apiKey(key).modelName("tiny").temperature(0.0)
                .maxCompletionTokens(TOKENS).maxRetries(0);
    }

    /** What the library answers. */
    private static String expected() {
        return server.base().generate(List.of(Prompt.chat(List.of(ChatMessage.system("Be brief."),
                ChatMessage.user(QUESTION)))), GenerationOptions.defaults().withMaxNewTokens(TOKENS)).get(0).text();
    }

    @Test
    void aChatIsAnsweredAsByTheLibrary() {
        ChatResponse reply = chat("secret").build().chat(SystemMessage.from("Be brief."), UserMessage.from(QUESTION));

        assertEquals(expected(), reply.aiMessage().text());
        assertEquals(TOKENS, reply.tokenUsage().outputTokenCount());
        assertTrue(!chat("secret").modelName("ft:tiny:acme:hr:1").build().chat(QUESTION).equals(chat("secret").build()
                .chat(QUESTION)), "the adapter has an answer of its own");
    }

    @Test
    void aStreamComesInPiecesToTheSameEnd() throws Exception {
        StringBuilder pieces = new StringBuilder();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder().baseUrl(server.url()).apiKey("secret").modelName("tiny").temperature(0.0)
                .maxCompletionTokens(TOKENS).build().chat(List.of(SystemMessage.from("Be brief."),
                        UserMessage.from(QUESTION)), new StreamingChatResponseHandler() {
                            @Override
                            public void onPartialResponse(String piece) {
                                pieces.append(piece);
                            }

                            @Override
                            public void onCompleteResponse(ChatResponse response) {
                                end.complete(response);
                            }

                            @Override
                            public void onError(Throwable error) {
                                end.completeExceptionally(error);
                            }
                        });

        ChatResponse reply = end.get(1, TimeUnit.MINUTES);
        assertEquals(expected(), reply.aiMessage().text());
        assertEquals(expected(), pieces.toString());
        assertEquals(TOKENS, reply.tokenUsage().outputTokenCount());
    }

    @Test
    void aModelIsThereUntilTheDayOfItsShutdown() {
        OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey("secret").build();
        List<Model> listed = client.models().list().data();

        assertEquals(List.of("tiny", "ft:tiny:acme:hr:1", "vectors"), listed.stream().map(Model::id).toList());
        assertEquals(List.of(Optional.empty(), Optional.of(END), Optional.empty()), listed.stream()
                .map(Model::shutdownDate).toList());
        assertThrows(ModelNotFoundException.class, () -> chat("secret").modelName("old").build().chat(QUESTION));
        client.close();
    }

    @Test
    void textsBecomeTheVectorsOfTheLibrary() {
        float[] vector = OpenAiEmbeddingModel.builder().baseUrl(server.url()).apiKey("secret").modelName("vectors")
                .build().embed("leave").content().vector();

        assertArrayEquals(new TextEmbedder(embedder).embed("leave"), vector, 1e-6f);
    }

    @Test
    void errorsAreOfTheClientsTypes() {
        assertThrows(AuthenticationException.class, () -> chat("wrong").build().chat(QUESTION));
        assertThrows(ModelNotFoundException.class, () -> chat("secret").modelName("nobody").build().chat(QUESTION));
        assertThrows(InvalidRequestException.class, () -> chat("secret").maxCompletionTokens(100_000).build()
                .chat(QUESTION));
        chat(limited).build().chat(QUESTION);
        assertThrows(RateLimitException.class, () -> chat(limited).build().chat(QUESTION));
    }

    @Test
    void errorsThatAreRareAreOfTheTypesOfOpenAisClientToo() {
        OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey("secret").maxRetries(0).build();
        assertThrows(PermissionDeniedException.class, () -> client.models().delete("tiny"));
        OpenAIClient often = OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey(limited).maxRetries(0).build();
        assertThrows(com.openai.errors.RateLimitException.class, () -> {
            often.models().list();
            often.models().list();
        });
        try (AnsweringServer impatient = new AnsweringServer(folder.resolve("impatient"),
                builder -> builder.answering(AnsweringOptions.defaults().withTimeout(Duration.ofMillis(1))))) {
            OpenAIClient waits = OpenAIOkHttpClient.builder().baseUrl(impatient.url()).apiKey("any").maxRetries(0)
                    .build();
            InternalServerException late = assertInstanceOf(InternalServerException.class, assertThrows(
                    RuntimeException.class, () -> waits.chat().completions().create(ChatCompletionCreateParams.builder()
                            .model("tiny").addUserMessage(QUESTION).maxCompletionTokens(200).build())));
            assertEquals(504, late.statusCode());
            waits.close();
        }
        client.close();
        often.close();
    }
}
