package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Twelve updates of GRPO and RLOO on given answers against TRL. */
class RewardParityTest {
    /** Of values near 1; rounding of f32 over twelve updates on both sides. */
    private static final double CLOSE = 1e-4;
    private static final JsonNode EXPECTED = Fixtures.json("rewards.json");

    static Stream<Arguments> runs() {
        GroupOptions grpo = GroupOptions.grpo().withLoss(GroupOptions.Loss.GRPO);
        GroupOptions rloo = GroupOptions.rloo();
        return Stream.of(Arguments.of("grpo", grpo),
                Arguments.of("grpo-beta", grpo.withBeta(0.1).withReference(Reference.BASE)),
                Arguments.of("grpo-start", grpo.withBeta(0.1).withReference(Reference.START)),
                Arguments.of("grpo-none", grpo.withScaleRewards(false)),
                Arguments.of("grpo-mask", masking(grpo.withBeta(0.1).withReference(Reference.BASE))),
                Arguments.of("dr_grpo", grpo.withLoss(GroupOptions.Loss.DR_GRPO).withScaleRewards(false)
                        .withBeta(0.1).withReference(Reference.BASE)),
                Arguments.of("dapo", GroupOptions.grpo().withBeta(0.05).withReference(Reference.BASE)),
                Arguments.of("dapo-mask", masking(GroupOptions.grpo())),
                Arguments.of("rloo", rloo.withBeta(0).withReference(Reference.BASE)),
                Arguments.of("rloo-beta", rloo.withBeta(0.2).withReference(Reference.BASE)),
                Arguments.of("rloo-mask", masking(rloo)));
    }

    private static GroupOptions masking(GroupOptions options) {
        return options.withMaxCompletionLength(options.maxCompletionLength(), true);
    }

    private static AnswerGroup group(JsonNode row) {
        return AnswerGroup.of(row.get(0).asText(), Fixtures.stream(row.get(1))
                .map(answer -> new AnswerGroup.Sample(answer.get(0).asText(), answer.get(1).asDouble()))
                .toArray(AnswerGroup.Sample[]::new));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void updatesAreThoseOfTrl(String name, GroupOptions given) {
        GroupOptions options = given.withMaxCompletionLength(EXPECTED.get("max_completion_length").asInt(),
                given.masksCut());
        List<AnswerGroup> groups = Fixtures.stream(EXPECTED.get("groups")).map(RewardParityTest::group).toList();
        JsonNode expected = EXPECTED.get(name);
        BaseModel base = KernelsUnderTest.sharedNaive(EXPECTED.get("model").asText());
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(EXPECTED.get("adapter").asText()))) {
            GroupObjective objective = new GroupObjective(model, options);
            List<StepMetrics> steps = Trainer.builder(model).epochs(6).batchSize(EXPECTED.get("batch").asInt())
                    .learningRate(EXPECTED.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .shuffle(false).build().train(objective, groups).steps();

            assertEquals(expected.get("steps").size(), steps.size());
            for (int i = 0; i < steps.size(); i++) {
                assertStep(expected.get("steps").get(i), steps.get(i), i);
            }
            List<Double> found = new ArrayList<>();
            try (SequenceScorer scorer = new SequenceScorer(model, score -> found.add(-score.nll()))) {
                groups.stream().flatMap(group -> objective.encode(group).get(0).sequences().stream())
                        .map(sequence -> new TokenSequence(sequence.ids(), sequence.weights())).forEach(scorer::add);
                scorer.flush();
            }
            assertEquals(expected.get("log_probabilities").size(), found.size());
            for (int i = 0; i < found.size(); i++) {
                double value = expected.get("log_probabilities").get(i).asDouble();
                assertEquals(value, found.get(i), CLOSE * Math.max(1, Math.abs(value)), "answer " + i);
            }
        }
    }

    private static void assertStep(JsonNode expected, StepMetrics step, int number) {
        assertEquals(expected.get("loss").asDouble(), step.trainLoss(), CLOSE, "loss of update " + number);
        int found = 0;
        for (String measure : step.measures().keySet()) {
            if (expected.has(measure)) {
                double value = expected.get(measure).asDouble();
                assertEquals(value, step.measures().get(measure), CLOSE * Math.max(1, Math.abs(value)),
                        measure + " of update " + number);
                found++;
            }
        }
        assertEquals(expected.size() - 1, found, () -> expected + " against " + step.measures());
        assertTrue(found > 3);
    }
}
