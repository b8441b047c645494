package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseOutputText;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.StructuredResponseCreateParams;
import com.openai.models.responses.ToolChoiceOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OpenAI's own client for Java asks in the form of responses. */
class OpenAiJavaResponsesTest {
    @TempDir
    private static Path folder;
    private static AnsweringServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = new AnsweringServer(folder, builder -> builder);
        client = OpenAIOkHttpClient.builder().baseUrl(server.url()).apiKey("any").maxRetries(0).build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ResponseCreateParams.Builder ask() {
        return ResponseCreateParams.builder().model("tiny").instructions("Be brief.").temperature(0)
                .input("What is the notice period?");
    }

    private static String text(Response response) {
        StringBuilder text = new StringBuilder();
        response.output().forEach(item -> item.message().ifPresent(message -> message.content()
                .forEach(part -> text.append(part.outputText().map(ResponseOutputText::text).orElse("")))));
        return text.toString();
    }

    /** The same chat in the other form. */
    private static String expected(long tokens) {
        return client.chat().completions().create(ChatCompletionCreateParams.builder().model("tiny")
                .addSystemMessage("Be brief.").addUserMessage("What is the notice period?").temperature(0)
                .maxCompletionTokens(tokens).build()).choices().get(0).message().content().orElseThrow();
    }

    @Test
    void aResponseSaysWhatTheChatSays() {
        Response response = client.responses().create(ask().maxOutputTokens(12).build());
        assertEquals(expected(12), text(response));
        assertEquals(12, response.usage().orElseThrow().outputTokens());
        assertEquals(ResponseStatus.INCOMPLETE, response.status().orElseThrow());
        assertEquals(Response.IncompleteDetails.Reason.MAX_OUTPUT_TOKENS, response.incompleteDetails().orElseThrow()
                .reason().orElseThrow());
        assertEquals("Be brief.", response.instructions().orElseThrow().asString());
        response.validate();
    }

    @Test
    void aConversationOfItemsIsTheChatOfTheirMessages() {
        List<ResponseInputItem> items = new ArrayList<>();
        for (EasyInputMessage.Role role : List.of(EasyInputMessage.Role.DEVELOPER, EasyInputMessage.Role.USER)) {
            items.add(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder().role(role)
                    .content(role.equals(EasyInputMessage.Role.USER) ? "What is the notice period?" : "Be brief.")
                    .build()));
        }
        Response response = client.responses().create(ResponseCreateParams.builder().model("tiny").temperature(0)
                .inputOfResponse(items).maxOutputTokens(12).build());
        assertEquals(expected(12), text(response));
    }

    @Test
    void aStreamHasTheSamePiecesAndEndsWithTheResponse() {
        StringBuilder text = new StringBuilder();
        List<Long> numbers = new ArrayList<>();
        Response last = null;
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(ask().maxOutputTokens(12)
                .build())) {
            for (ResponseStreamEvent event : (Iterable<ResponseStreamEvent>) stream.stream()::iterator) {
                event.validate();
                event.outputTextDelta().ifPresent(delta -> text.append(delta.delta()));
                event.outputTextDelta().ifPresent(delta -> numbers.add(delta.sequenceNumber()));
                last = event.incomplete().map(incomplete -> incomplete.response()).orElse(last);
            }
        }
        assertEquals(expected(12), text.toString());
        assertEquals(text.toString(), text(last));
        assertEquals(numbers.stream().sorted().distinct().toList(), numbers);
    }

    /** What an answer is to look like. */
    static class Period {
        public Unit unit;
        public boolean paid;
    }

    /** What a period is counted in. */
    enum Unit {
        DAYS, MONTHS
    }

    @Test
    void theTextFollowsAClass() {
        StructuredResponseCreateParams<Period> params = ask().maxOutputTokens(100).text(Period.class).build();
        Period period = client.responses().create(params).output().stream()
                .flatMap(item -> item.message().stream()).flatMap(message -> message.content().stream())
                .flatMap(part -> part.outputText().stream()).findFirst().orElseThrow();
        assertTrue(List.of(Unit.values()).contains(period.unit));
        Response cut = client.responses().create(ask().maxOutputTokens(3).text(Period.class).build().rawParams());
        assertEquals(ResponseStatus.INCOMPLETE, cut.status().orElseThrow());
    }

    private static FunctionTool tool() {
        return FunctionTool.builder().name("notice_period").strict(true).parameters(FunctionTool.Parameters.builder()
                .putAdditionalProperty("type", JsonValue.from("object"))
                .putAdditionalProperty("properties", JsonValue.from(Map.of("level", Map.of("enum",
                        List.of("senior", "junior")))))
                .putAdditionalProperty("required", JsonValue.from(List.of("level"))).build()).build();
    }

    @Test
    void aToolIsCalledAndItsOutputAnswered() {
        Response called = client.responses().create(ask().maxOutputTokens(100).addTool(tool())
                .toolChoice(ToolChoiceOptions.REQUIRED).build());
        called.validate();
        assertEquals(ResponseStatus.COMPLETED, called.status().orElseThrow());
        ResponseFunctionToolCall call = called.output().get(0).asFunctionCall();
        assertEquals("notice_period", call.name());
        Level level = call.arguments(Level.class);
        assertTrue(List.of("senior", "junior").contains(level.level), level.level);
        Response answered = client.responses().create(ResponseCreateParams.builder().model("tiny").temperature(0)
                .addTool(tool()).inputOfResponse(List.of(
                        ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                                .role(EasyInputMessage.Role.USER).content("What is the notice period?").build()),
                        ResponseInputItem.ofFunctionCall(call),
                        ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                                .callId(call.callId()).output("90 days").build())))
                .maxOutputTokens(12).build());
        assertTrue(!text(answered).isEmpty(), answered.toString());
    }

    /** The arguments of the tool. */
    static class Level {
        public String level;
    }

    @Test
    void whatIsNotKeptIsRefused() {
        String message = assertThrows(BadRequestException.class, () -> client.responses().create(ask()
                .previousResponseId("resp_1").build())).getMessage();
        assertTrue(message.contains("responses are not kept"), message);
    }
}
