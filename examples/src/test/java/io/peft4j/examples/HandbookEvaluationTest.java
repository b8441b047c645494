package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.Arm;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.report.ArmResult;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Base, few-shot and tuned SmolLM2 on some questions of the handbook: figures repeat, and failures are real. */
@Tag("model")
@Tag("full")
class HandbookEvaluationTest {
    private static final int QUESTIONS = 8;
    private static final Path HANDBOOK = Path.of("handbook");

    private static ComparisonReport compare(BaseModel base, PeftModel tuned, ChatDataset training,
            List<EvaluationItem> items) {
        return Comparison.of(base, tuned).trainingData(training).arm(Arm.fewShot(base, training, 4)).withoutGuard()
                .generation(GenerationOptions.defaults().withMaxNewTokens(24)).on(items);
    }

    private static ObjectNode figures(ComparisonReport report) {
        ObjectNode json = report.toJson();
        json.get("arms").forEach(arm -> ((ObjectNode) arm).remove("seconds"));
        ((ObjectNode) json.get("facts")).remove("compared on");
        return json;
    }

    @Test
    void figuresAreReproducibleAndFailuresAreReal() {
        ChatDataset training = ChatDataset.read(HANDBOOK.resolve("train.jsonl"));
        List<EvaluationItem> items = EvaluationData.read(HANDBOOK.resolve("heldout.jsonl")).subList(0, QUESTIONS);
        try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct");
                PeftModel tuned = base.withAdapter(LoraConfig.builder().rank(4).targetModules(ALL_LINEAR).build())) {
            Trainer.builder(tuned).epochs(1).batchSize(4).learningRate(1e-3).build()
                    .train(ChatDataset.of(training.examples().subList(0, 16)));
            ComparisonReport report = compare(base, tuned, training, items);
            assertEquals(List.of("base", "few-shot", "lookup", "tuned"),
                    report.arms().stream().map(ArmResult::name).toList());
            assertEquals(figures(report), figures(compare(base, tuned, training, items)), "the same seed");
            assertNotEquals(report.base().answers(), report.tuned().answers(), "something was learned");
            assertEquals(0, report.base().scores().get("contains"), "nobody knows a company that does not exist");
            assertTrue(report.arms().get(1).scores().get("contains") > 0, "the facts stand in the prompt");
            List<Integer> wrong = IntStream.range(0, QUESTIONS).filter(i -> !report.tuned().answers().get(i)
                    .toLowerCase(java.util.Locale.ROOT)
                    .contains(items.get(i).mustContain().get(0).toLowerCase(java.util.Locale.ROOT))).boxed().toList();
            assertEquals(wrong, report.failures().wrong());
            assertTrue(report.tuned().details().model().likelihood().orElseThrow().loss() < report.base()
                    .details().model().likelihood()
                    .orElseThrow().loss(), "16 examples in the company's style");
            assertEquals(0, report.leakage().orElseThrow().count());
        }
    }
}
