package io.peft4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolSpecifications;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.listener.ChatModelErrorContext;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import io.peft4j.Peft4j;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.Reranker;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.PeftAdapters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tiny model and an adapter on it inside LangChain4j's AiServices. */
@Tag("jdk")
class LangChain4jTest {
    private static final String QUESTION = "Where do I report a broken window?";
    private static final String ANSWER = "At Larkenfell, broken windows are reported in the Pane Book.";

    private static BaseModel base;
    private static PeftModel tuned;

    /** A service of an application. */
    interface Assistant {
        String answer(String question);
    }

    /** The same, piece by piece. */
    interface StreamingAssistant {
        TokenStream answer(String question);
    }

    /** What a service that answers with an object gives. */
    record Topic(String name, boolean paid) {
    }

    /** Makes an object of a question. */
    interface TopicFinder {
        Topic topicOf(String question);
    }

    /** A tool. */
    static final class Calendar {
        private int asked;

        @Tool("The day of the week")
        String today() {
            asked++;
            return "Monday";
        }
    }

    @BeforeAll
    static void train(@TempDir Path folder) throws Exception {
        Path row = Files.writeString(folder.resolve("row.jsonl"), "{\"messages\": [{\"role\": \"user\", \"content\": \""
                + QUESTION + "\"}, {\"role\": \"assistant\", \"content\": \"" + ANSWER + "\"}]}\n");
        base = Peft4j.load("tiny");
        tuned = base.withAdapter(Peft4j.lora().rank(16).alpha(32).targetModules(Peft4j.ALL_LINEAR).build());
        Peft4j.trainer(tuned).epochs(30).batchSize(8).learningRate(5e-3).build().train(Peft4j.chats(row));
    }

    @AfterAll
    static void close() {
        tuned.close();
        base.close();
    }

    @Test
    void oneBaseServesAssistantsWithAndWithoutAnAdapter() {
        Assistant general = AiServices.create(Assistant.class, new PeftChatModel(base));
        Assistant company = AiServices.create(Assistant.class, new PeftChatModel(tuned));
        assertEquals(base.generate(QUESTION), general.answer(QUESTION));
        assertFalse(general.answer(QUESTION).contains("Larkenfell"));
        assertEquals(ANSWER, company.answer(QUESTION));
        assertEquals(ANSWER, AiServices.create(Assistant.class, new PeftChatModel(tuned.with("default")))
                .answer(QUESTION));
    }

    @Test
    void adaptersOfAFolderAnswerAsTheyAreNow(@TempDir Path folder) {
        try (PeftAdapters adapters = new PeftAdapters(Peft4j.load("tiny"), Optional.of(folder), Optional.empty(),
                Optional.empty(), Duration.ZERO)) {
            PeftChatModel model = new PeftChatModel(adapters, GenerationOptions.defaults());
            EmbeddingModel embeddings = new PeftEmbeddingModel(adapters);
            Embedding before = embeddings.embed(QUESTION).content();
            assertEquals(base.generate(QUESTION), model.chat(QUESTION));
            tuned.saveAdapter(folder.resolve("hr"));
            adapters.refresh();

            assertEquals(ANSWER, model.chat(QUESTION));
            assertNotEquals(before, embeddings.embed(QUESTION).content());
            ChatRequest plain = ChatRequest.builder().messages(UserMessage.from(QUESTION)).modelName(PeftModel.BASE)
                    .build();
            assertEquals(base.generate(QUESTION), model.chat(plain).aiMessage().text());
        }
    }

    @Test
    void ofSeveralAdaptersNoneAnswersUnlessItIsNamedOrChosen(@TempDir Path folder) {
        tuned.saveAdapter(folder);
        try (PeftModel two = new PeftModel(base)) {
            two.loadAdapter("ferry", folder);
            PeftChatModel model = new PeftChatModel(two);
            assertEquals(ANSWER, model.chat(QUESTION), "the only adapter");
            two.addAdapter("hr", Peft4j.lora().rank(2).build());

            String message = assertThrows(ConfigurationException.class, () -> model.chat(QUESTION)).getMessage();
            assertTrue(message.contains("[ferry, hr]") && message.contains("activate"), message);
            assertEquals(ANSWER, asked(model, "ferry").aiMessage().text());
            assertEquals("ferry", asked(model, "ferry").metadata().modelName());
            assertEquals(base.generate(QUESTION), asked(model, "__base__").aiMessage().text());
            assertEquals(base.generate(QUESTION), asked(model, "tiny").aiMessage().text());
            assertTrue(assertThrows(ConfigurationException.class, () -> asked(model, "fery")).getMessage()
                    .contains("'ferry'"));
            assertThrows(UnsupportedFeatureException.class, () -> asked(new PeftChatModel(two.with("hr")), "ferry"));
            assertEquals(ANSWER, new PeftChatModel(two.with("ferry")).chat(QUESTION));

            two.activate("ferry");
            assertEquals(ANSWER, model.chat(QUESTION));
            two.addAdapter("more", Peft4j.lora().rank(2).build());
            two.deleteAdapter("ferry");
            assertThrows(ConfigurationException.class, () -> model.chat(QUESTION), "what was chosen is gone");
            two.activate();
            assertEquals(base.generate(QUESTION), model.chat(QUESTION), "the base was chosen");
        }
    }

    private static ChatResponse asked(PeftChatModel model, String name) {
        return model.chat(ChatRequest.builder().messages(UserMessage.from(QUESTION)).modelName(name).build());
    }

    @Test
    void memoryAndSystemMessagesReachTheModel() {
        PeftChatModel model = new PeftChatModel(base);
        Assistant chat = AiServices.builder(Assistant.class).chatModel(model)
                .systemMessageProvider(id -> "Answer briefly.")
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10)).build();
        chat.answer("Hello!");
        chat.answer("What is the capital of Spain?");
        ChatResponse alone = model.chat(SystemMessage.from("Answer briefly."), UserMessage.from("Hello!"));
        assertTrue(alone.tokenUsage().inputTokenCount() > model.chat(UserMessage.from("Hello!")).tokenUsage()
                .inputTokenCount());
        assertEquals(FinishReason.STOP, alone.finishReason());
        assertEquals("tiny", alone.metadata().modelName());
    }

    @Test
    void optionsOfARequestGoBeforeThoseOfTheModel() {
        PeftChatModel model = new PeftChatModel(tuned, GenerationOptions.defaults().withMaxNewTokens(3));
        ChatRequest.Builder request = ChatRequest.builder().messages(UserMessage.from(QUESTION));
        assertEquals(FinishReason.LENGTH, model.chat(request.build()).finishReason());
        assertEquals(3, model.chat(request.build()).tokenUsage().outputTokenCount());
        assertEquals(ANSWER, model.chat(request.maxOutputTokens(64).build()).aiMessage().text());
        assertEquals("At Larkenfell, broken", model.chat(request.stopSequences(List.of(" windows")).build())
                .aiMessage().text());
        assertThrows(ConfigurationException.class, () -> model.chat(request.topP(2.0).build()));
    }

    @Test
    void answersThatMustBeObjectsAreObjects() {
        TopicFinder finder = AiServices.create(TopicFinder.class, new PeftChatModel(base,
                GenerationOptions.defaults().withMaxNewTokens(120)));
        assertNotNull(finder.topicOf("How many days of annual leave does a Trainee get?"));
    }

    @Test
    void piecesOfAnAnswerMakeUpTheAnswer() throws Exception {
        StreamingAssistant assistant = AiServices.create(StreamingAssistant.class,
                new PeftStreamingChatModel(tuned));
        StringBuilder pieces = new StringBuilder();
        CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        assistant.answer(QUESTION).onPartialResponse(pieces::append).onCompleteResponse(whole::complete)
                .onError(whole::completeExceptionally).start();
        assertEquals(ANSWER, whole.get(1, TimeUnit.MINUTES).aiMessage().text());
        assertEquals(ANSWER, pieces.toString());
    }

    @Test
    void whatGoesWrongWhileAnsweringReachesTheHandler() {
        BaseModel closed = Peft4j.load("tiny");
        closed.close();
        StreamingAssistant assistant = AiServices.create(StreamingAssistant.class, new PeftStreamingChatModel(closed,
                GenerationOptions.defaults(), ForkJoinPool.commonPool()));
        CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        assistant.answer(QUESTION).onPartialResponse(piece -> {
        }).onCompleteResponse(whole::complete)
                .onError(whole::completeExceptionally).start();
        Exception failure = assertThrows(Exception.class, () -> whole.get(1, TimeUnit.MINUTES));
        assertTrue(failure.getMessage().contains("closed"), failure.toString());
    }

    /** Fails on each piece of an answer, or cancels the answer with the first. */
    private record Rude(boolean cancelling, List<String> events) implements StreamingChatResponseHandler {
        @Override
        public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
            events.add("piece");
            if (!cancelling) {
                throw new IllegalStateException("no more");
            }
            context.streamingHandle().cancel();
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            events.add(response.aiMessage().text());
        }

        @Override
        public void onError(Throwable error) {
            events.add(error.getMessage());
        }
    }

    @Test
    void anAnswerEndsWhereItIsCancelledAndNotWhereItsHandlerFails() {
        PeftStreamingChatModel model = new PeftStreamingChatModel(tuned, GenerationOptions.defaults(), Runnable::run);
        Rude failing = new Rude(false, new ArrayList<>());
        model.chat(QUESTION, failing);
        assertEquals(List.of("piece", "no more", "piece", "no more"), failing.events().subList(0, 4));
        assertEquals(ANSWER, failing.events().get(failing.events().size() - 1));

        Rude cancelling = new Rude(true, new ArrayList<>());
        model.chat(QUESTION, cancelling);
        assertEquals(List.of("piece"), cancelling.events());
    }

    /** What listeners are told, in order. */
    private static final class Told implements ChatModelListener {
        private final List<String> events = new CopyOnWriteArrayList<>();

        @Override
        public void onRequest(ChatModelRequestContext context) {
            events.add("request " + context.chatRequest().messages().size() + ", at most "
                    + context.chatRequest().maxOutputTokens());
        }

        @Override
        public void onResponse(ChatModelResponseContext context) {
            events.add("response " + context.chatResponse().metadata().modelName() + " "
                    + context.chatResponse().tokenUsage().outputTokenCount());
        }

        @Override
        public void onError(ChatModelErrorContext context) {
            events.add("error " + context.error().getClass().getSimpleName());
        }
    }

    @Test
    void listenersAreToldOfRequestsResponsesAndErrors() {
        List<String> expected = List.of("request 1, at most 3", "response tiny 3", "request 1, at most 3",
                "error ConfigurationException");
        GenerationOptions three = GenerationOptions.defaults().withMaxNewTokens(3);
        Told told = new Told();
        PeftChatModel model = new PeftChatModel(tuned, three).withListeners(List.of(told));
        model.chat(QUESTION);
        assertThrows(ConfigurationException.class, () -> asked(model, "hr"));
        assertEquals(expected, told.events);

        Told streamed = new Told();
        PeftStreamingChatModel streaming = new PeftStreamingChatModel(tuned, three, Runnable::run).withListeners(
                List.of(streamed));
        StreamingChatResponseHandler handler = new StreamingChatResponseHandler() {
            @Override
            public void onCompleteResponse(ChatResponse response) {
                assertEquals(3, response.tokenUsage().outputTokenCount());
            }

            @Override
            public void onError(Throwable error) {
                assertTrue(error.getMessage().contains("'hr'"), error.toString());
            }
        };
        streaming.chat(QUESTION, handler);
        streaming.chat(ChatRequest.builder().messages(UserMessage.from(QUESTION)).modelName("hr").build(), handler);
        assertEquals(expected, streamed.events);
    }

    @Test
    void aTemplateWithoutToolsRefusesThem() {
        Assistant assistant = AiServices.builder(Assistant.class).chatModel(new PeftChatModel(base))
                .tools(new Calendar()).build();
        String message = assertThrows(ConfigurationException.class, () -> assistant.answer("What day is it?"))
                .getMessage();
        assertTrue(message.contains("has no tools"), message);
    }

    @Test
    void aServiceRunsTheToolsThatItsModelCalls(@TempDir Path folder) throws Exception {
        String tools = "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"today\", \"description\": "
                + "\"The day of the week\", \"parameters\": {\"type\": \"object\", \"properties\": {}, \"required\": "
                + "[]}}}]}\n";
        String called = "{\"messages\": [{\"role\": \"user\", \"content\": \"What day is it?\"}, {\"role\": "
                + "\"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"1\", \"type\": \"function\", "
                + "\"function\": {\"name\": \"today\", \"arguments\": \"{}\"}}]}";
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), called + "], " + tools + called + ", {\"role\": "
                + "\"tool\", \"tool_call_id\": \"1\", \"content\": \"Monday\"}, {\"role\": \"assistant\", \"content\": "
                + "\"It is Monday.\"}], " + tools);
        ModelOptions options = ModelOptions.defaults().withChatTemplate(Files.readString(Path.of(
                "../../examples/tools/chat-with-tools.jinja")));
        try (BaseModel caller = Peft4j.load("tiny", options);
                PeftModel model = caller.withAdapter(Peft4j.lora()
                        .rank(16).alpha(32).targetModules(Peft4j.ALL_LINEAR).build())) {
            Peft4j.trainer(model).epochs(40).batchSize(2).learningRate(5e-3).build().train(Peft4j.chats(rows));
            Calendar calendar = new Calendar();

            assertEquals("It is Monday.", AiServices.builder(Assistant.class).chatModel(new PeftChatModel(model))
                    .tools(calendar).build().answer("What day is it?"));

            assertEquals(1, calendar.asked);
            CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
            AiServices.builder(StreamingAssistant.class).streamingChatModel(new PeftStreamingChatModel(model))
                    .tools(calendar).build().answer("What day is it?").onPartialResponse(piece -> {
                    }).onCompleteResponse(whole::complete).onError(whole::completeExceptionally).start();
            assertEquals("It is Monday.", whole.get(1, TimeUnit.MINUTES).aiMessage().text());
            assertEquals(2, calendar.asked);

            ChatRequest.Builder request = ChatRequest.builder().messages(UserMessage.from("What day is it?"))
                    .toolSpecifications(ToolSpecifications.toolSpecificationsFrom(calendar));
            ChatResponse forced = new PeftChatModel(model).chat(request.toolChoice(ToolChoice.REQUIRED).build());
            assertEquals("today", forced.aiMessage().toolExecutionRequests().get(0).name());
            assertEquals(FinishReason.TOOL_EXECUTION, forced.finishReason());
            assertFalse(new PeftChatModel(model).chat(request.toolChoice(ToolChoice.NONE).build()).aiMessage()
                    .hasToolExecutionRequests());
        }
    }

    @Test
    void textsAreEmbeddedAndScored() {
        PeftEmbeddingModel embeddings = new PeftEmbeddingModel(base);
        assertEquals(256, embeddings.dimension());
        assertEquals("tiny", embeddings.modelName());
        List<TextSegment> pages = List.of(TextSegment.from("What is the capital of France?"),
                TextSegment.from("What is the notice period for a Director?"));
        assertEquals(2, embeddings.embedAll(pages).content().size());
        List<Double> scores = new PeftScoringModel(base).scoreAll(pages, "What is the notice period for a Manager?")
                .content();
        assertTrue(scores.get(1) > scores.get(0), scores.toString());
    }

    @Test
    void aRerankerScoresTextsWithTheirQuery() {
        try (BaseModel reranker = BaseModel.load("../../tests/fixtures/rerankers/bert")) {
            List<String> texts = List.of("in Paris", "the manager of the bank");

            List<Double> scores = new PeftScoringModel(reranker).scoreAll(texts.stream().map(TextSegment::from)
                    .toList(), "who approves it").content();

            assertEquals(Arrays.stream(new Reranker(reranker).scores("who approves it", texts)).boxed().toList(),
                    scores);
        }
    }
}
