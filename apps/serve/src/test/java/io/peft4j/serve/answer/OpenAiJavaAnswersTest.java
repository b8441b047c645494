package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessageToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionTool;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.decisions.Decision;
import com.openai.models.decisions.DecisionChoiceOption;
import com.openai.models.decisions.DecisionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's own client for Java, which knows nothing but the address. */
class OpenAiJavaAnswersTest {
    @TempDir
    private static Path folder;
    private static BaseModel embedder;
    private static AnsweringServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        embedder = BaseModel.load(AnsweringServer.FIXTURES.resolve("sentences/mean-normalized").toString(),
                ModelOptions.defaults().withTask(Task.EMBEDDING).withPrecision(ModelOptions.Precision.F32));
        server = new AnsweringServer(folder, builder -> builder.apiKey("secret")
                .adapter("ft:tiny:acme:hr:1", AnsweringServer.FIXTURES.resolve("adapters/lora"))
                .answering(AnsweringOptions.defaults().withModel("vectors", embedder)));
        client = client("secret");
    }

    private static OpenAIClient client(String key) {
        return OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey(key).maxRetries(0).build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
        embedder.close();
    }

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder().model("tiny").addSystemMessage("Be brief.")
                .addUserMessage("What is the notice period?").temperature(0).maxCompletionTokens(12);
    }

    /** What the library answers. */
    private static String expected() {
        return server.base().generate(List.of(Prompt.chat(List.of(ChatMessage.system("Be brief."),
                ChatMessage.user("What is the notice period?")))), GenerationOptions.defaults().withMaxNewTokens(12))
                .get(0).text();
    }

    @Test
    void aChatIsAnsweredAsByTheLibrary() {
        ChatCompletion reply = client.chat().completions().create(chat().build());
        assertEquals(expected(), reply.choices().get(0).message().content().orElseThrow());
        assertEquals(ChatCompletion.Choice.FinishReason.LENGTH, reply.choices().get(0).finishReason());
        assertEquals(12, reply.usage().orElseThrow().completionTokens());
        assertEquals("tiny", reply.model());
        reply.validate();
    }

    @Test
    void anAdapterAnswersUnderItsName() {
        ChatCompletion tuned = client.chat().completions().create(chat().model("ft:tiny:acme:hr:1").build());
        assertEquals("ft:tiny:acme:hr:1", tuned.model());
        assertFalse(tuned.choices().get(0).message().content().orElseThrow().equals(expected()));
        assertTrue(client.models().list().data().stream().anyMatch(model -> model.id().equals("ft:tiny:acme:hr:1")));
    }

    @Test
    void aStreamHasTheSamePieces() {
        StringBuilder text = new StringBuilder();
        long tokens = 0;
        int logProbabilities = 0;
        try (StreamResponse<ChatCompletionChunk> stream = client.chat().completions().createStreaming(chat()
                .logprobs(true).topLogprobs(2).streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true)
                        .build())
                .build())) {
            for (ChatCompletionChunk chunk : (Iterable<ChatCompletionChunk>) stream.stream()::iterator) {
                for (ChatCompletionChunk.Choice choice : chunk.choices()) {
                    text.append(choice.delta().content().orElse(""));
                    logProbabilities += choice.logprobs().flatMap(ChatCompletionChunk.Choice.Logprobs::content)
                            .map(List::size).orElse(0);
                }
                tokens += chunk.usage().map(usage -> usage.completionTokens()).orElse(0L);
            }
        }
        assertEquals(expected(), text.toString());
        assertEquals(12, tokens);
        assertEquals(12, logProbabilities);
    }

    @Test
    void severalAnswersDifferAndComeAgainWithTheirSeed() {
        ChatCompletionCreateParams params = chat().temperature(1).n(3).seed(7).build();
        List<String> first = texts(client.chat().completions().create(params));
        assertEquals(3, first.stream().distinct().count());
        assertEquals(first, texts(client.chat().completions().create(params)));
    }

    private static List<String> texts(ChatCompletion reply) {
        return reply.choices().stream().map(choice -> choice.message().content().orElseThrow()).toList();
    }

    @Test
    void theTextFollowsASchema() throws IOException {
        ResponseFormatJsonSchema format = ResponseFormatJsonSchema.builder().jsonSchema(
                ResponseFormatJsonSchema.JsonSchema.builder().name("answer").schema(
                        ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                .putAdditionalProperty("type", JsonValue.from("object"))
                                .putAdditionalProperty("properties", JsonValue.from(Map.of("days", Map.of("type",
                                        "integer", "minimum", 1, "maximum", 99))))
                                .putAdditionalProperty("required", JsonValue.from(List.of("days"))).build())
                        .build())
                .build();
        String text = client.chat().completions().create(chat().responseFormat(format).maxCompletionTokens(60).build())
                .choices().get(0).message().content().orElseThrow();
        int days = new ObjectMapper().readTree(text).get("days").asInt();
        assertTrue(days >= 1 && days <= 99, text);
    }

    @Test
    void aToolThatMustBeCalledIs() throws IOException {
        FunctionDefinition function = FunctionDefinition.builder().name("notice_period").parameters(
                FunctionParameters.builder().putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty("properties", JsonValue.from(Map.of("level", Map.of("enum",
                                List.of("senior", "junior")))))
                        .putAdditionalProperty("required", JsonValue.from(List.of("level"))).build())
                .build();
        ChatCompletion reply = client.chat().completions().create(chat().maxCompletionTokens(100)
                .addTool(ChatCompletionTool.ofFunction(ChatCompletionFunctionTool.builder().function(function).build()))
                .toolChoice(ChatCompletionToolChoiceOption.ofAuto(ChatCompletionToolChoiceOption.Auto.REQUIRED))
                .build());
        assertEquals(ChatCompletion.Choice.FinishReason.TOOL_CALLS, reply.choices().get(0).finishReason());
        ChatCompletionMessageToolCall call = reply.choices().get(0).message().toolCalls().orElseThrow().get(0);
        assertEquals("notice_period", call.asFunction().function().name());
        String level = new ObjectMapper().readTree(call.asFunction().function().arguments()).get("level").asText();
        assertTrue(List.of("senior", "junior").contains(level), level);
    }

    @Test
    void textsAreContinued() {
        Completion reply = client.completions().create(CompletionCreateParams.builder().model("tiny")
                .promptOfArrayOfStrings(List.of("The notice period", "is")).maxTokens(4).temperature(0).n(2).logprobs(1)
                .build());
        assertEquals(4, reply.choices().size());
        assertEquals(server.base().generate(List.of(Prompt.text("is")), GenerationOptions.defaults()
                .withMaxNewTokens(4)).get(0).text(), reply.choices().get(2).text());
        assertEquals(4, reply.choices().get(0).logprobs().orElseThrow().tokens().orElseThrow().size());
    }

    @Test
    void encodersGiveVectorsAndDecodersDoNot() {
        CreateEmbeddingResponse reply = client.embeddings().create(EmbeddingCreateParams.builder().model("vectors")
                .inputOfArrayOfStrings(List.of("notice period", "leave")).build());
        float[] expected = new TextEmbedder(embedder).embed("leave");
        assertEquals(expected[0], reply.data().get(1).embedding().get(0), 1e-6);
        assertTrue(client.models().list().data().stream().anyMatch(model -> model.id().equals("vectors")));
        assertEquals("vectors", client.models().retrieve("vectors").id());
        String message = assertThrows(BadRequestException.class, () -> client.embeddings().create(
                EmbeddingCreateParams.builder().model("tiny").input("notice period").build())).getMessage();
        assertTrue(message.contains("gives no embeddings"), message);
    }

    @Test
    void typedQuestionsAreAnswered() {
        DecisionCreateParams.Question.Choice team = DecisionCreateParams.Question.Choice.builder().name("team")
                .instructions("Which team?").addChoice(DecisionChoiceOption.builder().value("billing")
                        .description("Invoices").build())
                .addChoice(DecisionChoiceOption.builder().value(true).build()).build();
        DecisionCreateParams.Question.Score urgent = DecisionCreateParams.Question.Score.builder()
                .instructions("How urgent?").addLevel(level("low")).addLevel(level("high")).build();
        Decision reply = client.decisions().create(DecisionCreateParams.builder().model("tiny")
                .input("I was charged twice").addQuestion(team).addQuestion(urgent).build()).validate();
        DecisionAnswer expected = new DecisionModel(server.base()).decide("I was charged twice", new DecisionQuestion(
                DecisionQuestion.Kind.CHOICE, TextNode.valueOf("Which team?"), List.of(
                        new DecisionQuestion.Option("billing", TextNode.valueOf("Invoices")),
                        new DecisionQuestion.Option("true", NullNode.instance))));
        Decision.Answer.Choice choice = reply.answers().get(0).asChoice();
        assertEquals("team", choice.name().orElseThrow());
        assertTrue(choice.probabilities().get(1).value().asBool());
        assertEquals(expected.probabilities(), choice.probabilities().stream().map(one -> one.probability()).toList());
        assertEquals("high", reply.answers().get(1).asScore().probabilities().get(1).label());
        assertTrue(reply.usage().inputTokens() > 20);
        assertThrows(NotFoundException.class, () -> client.decisions().create(DecisionCreateParams.builder()
                .model("nobody").input("a").addQuestion(team).build()));
    }

    private static DecisionCreateParams.Question.Score.Level level(String label) {
        return DecisionCreateParams.Question.Score.Level.builder().label(label).build();
    }

    @Test
    void errorsAreOfTheirTypes() {
        assertThrows(NotFoundException.class, () -> client.chat().completions().create(chat().model("nobody").build()));
        assertThrows(BadRequestException.class, () -> client.chat().completions().create(chat()
                .putAdditionalBodyProperty("temperatur", JsonValue.from(1)).build()));
        assertThrows(BadRequestException.class, () -> client.chat().completions().create(chat()
                .maxCompletionTokens(100_000).build()));
        OpenAIClient stranger = client("wrong");
        assertThrows(UnauthorizedException.class, () -> stranger.chat().completions().create(chat().build()));
        stranger.close();
    }
}
