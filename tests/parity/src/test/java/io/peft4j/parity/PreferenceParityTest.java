package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.task.JudgedAnswer;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.DpoOptions;
import io.peft4j.train.objective.KtoObjective;
import io.peft4j.train.objective.KtoOptions;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.OrpoObjective;
import io.peft4j.train.objective.Reference;
import io.peft4j.train.objective.SimpoObjective;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Twelve updates of each preference objective against TRL: loss, rewards and log-probabilities. */
class PreferenceParityTest {
    /** Of losses and measures near 1; rounding of f32 over twelve updates on both sides. */
    private static final double CLOSE = 1e-4;
    private static final JsonNode EXPECTED = Fixtures.json("preferences.json");
    private static final DpoOptions DPO = DpoOptions.defaults().withBeta(0.3);

    static Stream<Arguments> pairs() {
        double smoothing = EXPECTED.get("smoothing").asDouble();
        return Stream.of(dpo("dpo", DPO), dpo("dpo-start", DPO.withReference(Reference.START)),
                dpo("dpo-smoothed", DPO.withLabelSmoothing(smoothing)),
                dpo("dpo-robust", DPO.withLoss(DpoOptions.Loss.ROBUST).withLabelSmoothing(smoothing)),
                dpo("dpo-ipo", DpoOptions.defaults().withBeta(0.2).withLoss(DpoOptions.Loss.IPO)),
                row("orpo", model -> new OrpoObjective(model, 0.4)),
                row("simpo", model -> new SimpoObjective(model, 2, 0.7, 0)));
    }

    private static Arguments dpo(String name, DpoOptions options) {
        return row(name, model -> new DpoObjective(model, options));
    }

    private static Arguments row(String name, Function<LanguageModel, Objective<PreferenceExample>> objective) {
        return Arguments.of(name, objective);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pairs")
    void updatesFromPairsAreThoseOfTrl(String name, Function<LanguageModel, Objective<PreferenceExample>> objective) {
        assertUpdates(name, objective, Fixtures.stream(EXPECTED.get("pairs")).map(row -> PreferenceExample.of(
                row.get(0).asText(), row.get(1).asText(), row.get(2).asText())).toList());
    }

    @Test
    void updatesFromJudgedAnswersAreThoseOfTrl() {
        List<JudgedAnswer> answers = new ArrayList<>();
        for (JsonNode row : EXPECTED.get("pairs")) {
            boolean good = answers.size() % 3 > 0;
            answers.add(JudgedAnswer.of(row.get(0).asText(), row.get(good ? 1 : 2).asText(), good));
        }
        assertUpdates("kto", model -> new KtoObjective(model,
                new KtoOptions(0.5, 1, 1.2, Reference.BASE)), answers);
    }

    private static <E> void assertUpdates(String name, Function<LanguageModel, Objective<E>> objective,
            List<E> examples) {
        BaseModel base = KernelsUnderTest.sharedNaive(EXPECTED.get("model").asText());
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(EXPECTED.get("adapter").asText()))) {
            List<StepMetrics> steps = Trainer.builder(model).epochs(4).batchSize(EXPECTED.get("batch").asInt())
                    .learningRate(EXPECTED.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .shuffle(false).build().train(objective.apply(model), examples).steps();

            assertEquals(EXPECTED.get(name).size(), steps.size());
            for (int i = 0; i < steps.size(); i++) {
                JsonNode row = EXPECTED.get(name).get(i);
                assertEquals(row.get("loss").asDouble(), steps.get(i).trainLoss(),
                        CLOSE * Math.max(1, row.get("loss").asDouble()), "loss of update " + i);
                assertMeasures(row, steps.get(i), i);
            }
        }
    }

    private static void assertMeasures(JsonNode row, StepMetrics step, int number) {
        int found = 0;
        for (String name : step.measures().keySet()) {
            if (row.has(name)) {
                double expected = row.get(name).asDouble();
                assertEquals(expected, step.measures().get(name), CLOSE * Math.max(1, Math.abs(expected)),
                        name + " of update " + number);
                found++;
            }
        }
        assertTrue(found >= row.size() - 1, row + " against " + step.measures());
    }
}
