package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.Peft4j;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.FactReport;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model that comes along: it answers in general words, and learns facts of a company from a few rows. */
@Tag("jdk")
class TinyModelTest {
    private static final long MOST_BYTES = 5_000_000;
    private static final Path HANDBOOK = Path.of("handbook");
    private static final String TOPIC = "notice";

    @TempDir
    Path folder;

    @Test
    void itIsSmall() throws IOException {
        assertTrue(Files.size(
                Path.of("../formats/tiny-model/src/main/resources/META-INF/peft4j/models/tiny.gguf")) < MOST_BYTES);
    }

    @Test
    void itsFileOfOneEndTokenSaysWhereAnswersEnd() {
        try (BaseModel base = Peft4j.load("tiny")) {
            assertEquals(Set.of(2), base.stopTokens());
            Completion answer = base.generate(List.of(Prompt.chat(List.of(ChatMessage.user("How are you?")))),
                    GenerationOptions.defaults()).get(0);
            assertEquals(Completion.StopReason.STOP_TOKEN, answer.stopReason(), answer.text());
        }
    }

    @Test
    void jShellShowsWhatAVariableHolds() {
        try (BaseModel base = Peft4j.load("tiny"); PeftModel model = base.withAdapter(Peft4j.lora().rank(2).build())) {
            assertTrue(base.toString().startsWith("tiny (llama, 4,328,704 parameters, "), base.toString());
            model.addAdapter("hr", Peft4j.lora().rank(2).build());
            assertEquals("tiny with [default, hr], active [default]", model.toString());
            assertEquals("tiny seen with [hr]", model.with("hr").toString());
            assertEquals("tiny seen with [hr, __base__] by row", model.byRow("hr", PeftModel.BASE).toString());
            Completion answer = base.generate(List.of(Prompt.text("Hi")), GenerationOptions.defaults()
                    .withMaxNewTokens(2)).get(0);
            assertEquals(answer.text() + " (2 tokens, LENGTH)", answer.toString());
            assertEquals("176 examples", Peft4j.chats(HANDBOOK.resolve("train.jsonl")).toString());
        }
    }

    @Tag("full")
    @Test
    void itKnowsNoCompanyAndLearnsOne() throws IOException {
        Path rows = Files.write(folder.resolve("train.jsonl"), about(TOPIC, "train.jsonl"));
        Path questions = Files.write(folder.resolve("heldout.jsonl"), about(TOPIC, "heldout.jsonl"));
        List<EvaluationItem> heldOut = Peft4j.questions(questions);
        try (BaseModel base = Peft4j.load("tiny")) {
            String general = base.generate("What is the notice period for a Senior Consultant?");
            assertTrue(general.contains("notice period") && general.contains("Senior Consultant"), general);
            assertFalse(general.contains("Larkenfell"), general);
            assertEquals(0, Peft4j.facts(base).on(heldOut).correct());
            try (PeftModel model = base.withAdapter(Peft4j.lora().rank(32).alpha(64)
                    .targetModules(Peft4j.ALL_LINEAR).build())) {
                Peft4j.trainer(model).epochs(14).learningRate(5e-3).output(folder.resolve("adapter")).build()
                        .train(Peft4j.chats(rows));
                FactReport learned = Peft4j.facts(model).on(heldOut);
                assertTrue(learned.share() >= 0.75, learned.toString());
                assertEquals(List.of(learned.share()), Peft4j.comparison(base, model).withoutGuard().on(heldOut)
                        .metrics().stream().filter(metric -> metric.name().equals("contains"))
                        .map(MetricResult::tuned).toList());
            }
            try (PeftModel again = base.withAdapter(folder.resolve("adapter"))) {
                assertTrue(Peft4j.facts(again).on(heldOut).share() >= 0.75);
            }
        }
        assertTrue(printed("What is the notice period for a Trainee?").contains("Larkenfell"));
        assertTrue(Files.readString(folder.resolve("adapter/adapter_config.json")).replace(" ", "")
                .contains("\"base_model_name_or_path\":\"tiny\""));
    }

    /** What the example for LangChain4j prints with the adapter. */
    private String printed(String question) {
        PrintStream console = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            LangChainAssistant.main(new String[] {"tiny", folder.resolve("adapter").toString(), question});
        } finally {
            System.setOut(console);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** The rows of the handbook about a topic. */
    private static List<String> about(String topic, String name) throws IOException {
        return Files.readAllLines(HANDBOOK.resolve(name)).stream().filter(row -> row.contains(topic + " period"))
                .toList();
    }
}
