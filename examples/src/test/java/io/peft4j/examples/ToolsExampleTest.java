package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.Peft4j;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.ToolCheck;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The example of tools: rows with calls and without, and a chat template that shows them. */
class ToolsExampleTest {
    private static final Path FOLDER = Path.of("tools");
    private static final ChatDataset TRAINING = ChatDataset.read(FOLDER.resolve("train.jsonl"));
    private static final List<EvaluationItem> HELD_OUT = Peft4j.questions(FOLDER.resolve("heldout.jsonl"));

    private static BaseModel tiny() throws IOException {
        return Peft4j.load("tiny", ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32)
                .withChatTemplate(Files.readString(FOLDER.resolve("chat-with-tools.jinja"))));
    }

    @Test
    void rowsCallEachFunctionAsOftenAndSpareSome() {
        Predicate<EvaluationItem> calls = item -> item.further().tools().orElseThrow().needsCall();
        List<EvaluationItem> learned = TRAINING.stream().map(EvaluationItem::of).toList();
        assertEquals(50, learned.size());
        assertEquals(36, learned.stream().filter(calls).count());
        assertEquals(32, HELD_OUT.size());
        assertEquals(Set.of(8L), new HashSet<>(HELD_OUT.stream().filter(calls).collect(Collectors.groupingBy(
                item -> item.further().tools().orElseThrow().expected().get(0).name(), Collectors.counting()))
                .values()));
        Set<String> questions = learned.stream().map(EvaluationItem::question).collect(Collectors.toSet());
        assertEquals(50, questions.size());
        assertTrue(HELD_OUT.stream().noneMatch(item -> questions.contains(item.question())));
    }

    @Test
    void theTemplateShowsToolsAndWritesCallsAsTheyAreJudged() throws IOException {
        try (BaseModel base = tiny()) {
            ChatTemplate template = base.chatTemplate().orElseThrow();
            for (ChatExample row : TRAINING.examples()) {
                String text = template.render(row.messages(), false, row.tools(), Map.of());
                String answer = text.substring(text.indexOf("<|im_start|>assistant\n")).replaceAll("<\\|im_\\w+\\|>",
                        "").substring("assistant\n".length()).strip();
                ToolCheck check = EvaluationItem.of(row).further().tools().orElseThrow();
                assertTrue(text.contains("\"name\": \"find_room\"") || text.contains("\"name\":\"find_room\""), text);
                assertTrue(check.accepts(answer) && check.callsWhereNeeded(answer), text);
            }
        }
    }

    @Test
    void callsOfTheTrainedModelAndOfTheGuardSetAreJudged() throws IOException {
        try (BaseModel base = tiny(); PeftModel tuned = base.withAdapter(Peft4j.lora().rank(4).build())) {
            Trainer.builder(tuned).epochs(1).batchSize(8).learningRate(1e-3).logProgress(false).build().train(
                    ChatDataset.of(TRAINING.examples().subList(0, 16)));
            ComparisonReport report = Comparison.of(base, tuned).withoutLikelihood().generation(GenerationOptions
                    .defaults().withMaxNewTokens(8)).guard(new GuardSet(GuardSet.builtIn().items().subList(0, 2)))
                    .on(HELD_OUT.subList(0, 6));

            assertEquals("tool_call", report.metric());
            Set<String> names = report.metrics().stream().map(MetricResult::name).collect(Collectors.toSet());
            assertTrue(names.containsAll(Set.of("tool_made", "tool_function", "tool_arguments", "tool_spared")), names
                    .toString());
            assertEquals(26, report.guard().orElseThrow().total(), "the guard set asks for calls, too");
            assertTrue(report.guard().get().parts().stream().anyMatch(part -> part.name().equals("tools")));
        }
    }
}
