package io.peft4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.decision.listener.DecisionModelListener;
import dev.langchain4j.model.decision.listener.DecisionModelResponseContext;
import dev.langchain4j.model.decision.request.ChoiceQuestion;
import dev.langchain4j.model.decision.request.DecisionRequest;
import dev.langchain4j.model.decision.request.ScaleQuestion;
import dev.langchain4j.model.decision.request.YesNoQuestion;
import dev.langchain4j.model.decision.response.DecisionResponse;
import dev.langchain4j.model.decision.response.RefusalAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Laya checkpoint of the fixtures behind LangChain4j's decisions, whose validator looks at each response. */
class PeftDecisionModelTest {
    private static final Path LAYA = Path.of("../../tests/fixtures/decisions/laya");
    private static final List<String> STATES = List.of("state ", "[MASK] ", "[SEP] ", "\u0000\ud83d ",
            "word ".repeat(200));
    private static final int MANY = Integer.getInteger("peft4j.requests", 10_000);
    private static BaseModel model;

    @BeforeAll
    static void load() {
        // Of so small a model waking a second thread takes longer than what it does.
        model = BaseModel.load(LAYA.toString(), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32).withThreads(1));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void allKindsOfQuestionsAndInputsAreAnswered() {
        List<DecisionResponse> told = new ArrayList<>();
        PeftDecisionModel decisions = new PeftDecisionModel(model, List.of(new DecisionModelListener() {
            @Override
            public void onResponse(DecisionModelResponseContext context) {
                told.add(context.decisionResponse());
            }
        }));
        DecisionRequest request = DecisionRequest.builder().inputMessages(SystemMessage.from("You route."),
                UserMessage.from("charged twice"), AiMessage.from("Sorry"))
                .question("paid", YesNoQuestion.from("Was it paid?"))
                .question("team", ChoiceQuestion.from("Which team?", Map.of("billing", "invoices", "login", "login")))
                .question("urgency", ScaleQuestion.builder().text("How urgent?").level("low").level("high", "today")
                        .build())
                .build();
        DecisionResponse response = decisions.decide(request);
        assertEquals(1, response.choice("team").probabilityOf("billing") + response.choice("team")
                .probabilityOf("login"), 1e-9);
        assertEquals(response.scale("urgency").mean(), response.scale("urgency").probabilities().get(1), 1e-9);
        assertTrue(response.tokenUsage().inputTokenCount() > 20 && response.modelName().endsWith("laya"));
        assertEquals(List.of(response), told);
        assertEquals(response.yesNo("paid").probability(), decisions.decideAsync(request).join().yesNo("paid")
                .probability());
        assertEquals(2, decisions.decide(DecisionRequest.builder().inputFields(Map.of("amount", 3)).question("a",
                YesNoQuestion.from("Is it?")).question("b", YesNoQuestion.from("Was it?")).build()).answers().size());
    }

    @Test
    void answersThatAreNotCertainEnoughAreRefused(@TempDir Path folder) throws IOException {
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(LAYA.resolve("adapter").resolve(name), folder.resolve(name));
        }
        model.decisions().withFitted(Map.of(), new DecisionCalibration(List.of(entry("Certain?", 0.5), entry("Guess?",
                1.1)))).write(folder);
        try (PeftModel tuned = model.withAdapter(folder)) {
            DecisionRequest request = DecisionRequest.builder().input("charged twice")
                    .question("certain", YesNoQuestion.from("Certain?"))
                    .question("guess", YesNoQuestion.from("Guess?"))
                    .question("other", YesNoQuestion.from("Other?")).build();
            PeftDecisionModel decisions = new PeftDecisionModel(tuned);
            assertTrue(decisions.decide(request).answers().keySet().stream()
                    .noneMatch(decisions.decide(request)::isRefused));
            DecisionResponse response = decisions.withRotations(2).refusingBeyond(0.05).decide(request);
            assertEquals(decisions.decide(request).yesNo("certain"), response.yesNo("certain"));
            assertEquals(RefusalAnswer.class, response.answers().get("guess").getClass());
            assertTrue(response.isRefused("other") && !response.isRefused("certain"));
        }
    }

    private static DecisionCalibration.Entry entry(String question, double threshold) {
        return new DecisionCalibration.Entry("noul", question, List.of("false", "true"), "none", "", 100, List.of(1.0,
                1.0), List.of(0.0, 0.0), List.of(), List.of(),
                List.of(new DecisionCalibration.Threshold(0.05,
                        threshold, 1, 0, 1)),
                List.of());
    }

    @Test
    void choicesAreAveragedOverOrders() {
        Map<String, String> options = new LinkedHashMap<>();
        Stream.of("billing", "login", "other").forEach(name -> options.put(name, "about " + name));
        DecisionRequest request = DecisionRequest.builder().input("charged twice").question("team", ChoiceQuestion.from(
                "Which team?", options)).build();
        PeftDecisionModel decisions = new PeftDecisionModel(model);
        double averaged = decisions.withRotations(3).decide(request).choice("team").probabilityOf("login");
        assertEquals(new io.peft4j.core.task.DecisionModel(model).withRotations(3).decide("charged twice",
                DecisionQuestion.choice("Which team?", options)).probability("login"), averaged);
        assertNotEquals(decisions.decide(request).choice("team").probabilityOf("login"), averaged);
    }

    @Test
    void callsOfToolsAreRead() throws IOException {
        ToolExecutionRequest call = ToolExecutionRequest.builder().id("1").name("refund").arguments("{\"a\": 1}")
                .build();
        DecisionResponse response = new PeftDecisionModel(model).decide(DecisionRequest.builder().inputMessages(
                UserMessage.from("charged twice"), AiMessage.from(call), ToolExecutionResultMessage.from(call, "done"))
                .question("paid", YesNoQuestion.from("Was it paid?")).build());
        JsonNode same = new ObjectMapper().readTree("""
                {"state": [{"role": "user", "content": "charged twice"}, {"role": "assistant", "content": "",
                "tool_calls": [{"name": "refund", "arguments": "{\\"a\\": 1}"}]}, {"role": "tool", "content": "done"}],
                "questions": {"paid": {"type": "noul", "instructions": "Was it paid?"}}}
                """);
        assertEquals(
                new io.peft4j.core.task.DecisionModel(model).decide(io.peft4j.core.decision.DecisionRequest.of(same))
                        .answers().get("paid").probability("true"),
                response.yesNo("paid").probability());
    }

    @Test
    void randomRequestsPassTheValidator() {
        randomRequests(60);
    }

    @Test
    @Tag("full")
    void manyRandomRequestsPassTheValidator() {
        randomRequests(MANY);
    }

    private static void randomRequests(int count) {
        PeftDecisionModel decisions = new PeftDecisionModel(model);
        Random random = new Random(4);
        for (int i = 0; i < count; i++) {
            DecisionRequest.Builder request = DecisionRequest.builder().input(STATES.get(random.nextInt(STATES
                    .size())) + random.nextInt());
            for (int j = 0; j <= random.nextInt(4); j++) {
                // Too many for the tiny model's 96 tokens are refused, as another test shows.
                List<String> names = IntStream.range(0, 2 + random.nextInt(8)).mapToObj(k -> "o" + k
                        + (random.nextInt(4) == 0 ? " [MASK] \"\n" : "")).toList();
                request.question("q" + j, random.nextInt(3) == 0 ? YesNoQuestion.from("Is it " + random.nextInt() + "?")
                        : random.nextBoolean() ? ChoiceQuestion.from("Which?", names)
                                : ScaleQuestion.from("How much?", names));
            }
            DecisionResponse response = decisions.decide(request.build());
            assertTrue(!response.answers().isEmpty());
        }
    }

    @Test
    void imagesAreRefused() {
        assertThrows(UnsupportedFeatureException.class, () -> new PeftDecisionModel(model).decide(DecisionRequest
                .builder().inputContents(dev.langchain4j.data.message.ImageContent.from("https://example.org/a.png"))
                .question("a", YesNoQuestion.from("Is it?")).build()));
    }
}
