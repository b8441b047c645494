package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.grader.Grade;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Trainings on answers that the model gives itself. */
@Tag("full")
class SampledTrainingTest {
    private static final int TOKENS = 8;
    private static final List<AnswerGroup> PROMPTS = Stream.of("Why?", "When?", "Who?", "Where?")
            .map(AnswerGroup::of).toList();

    /** The share of letters that are vowels: what an untrained model can do better at once. */
    private static double vowels(String answer) {
        return answer.isEmpty() ? 0 : answer.chars().filter(c -> "aeiou".indexOf(c) >= 0).count()
                / (double) answer.length();
    }

    private static TrainingResult train(GroupOptions options, Grader grader, int epochs, boolean held) {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            SampledObjective objective = new SampledObjective(new GroupObjective(model,
                    options.withMaxCompletionLength(TOKENS, false)), Grading.by(grader),
                    SamplingOptions.defaults().withGroupSize(6), Optional.empty());
            return Trainer.builder(model).epochs(epochs).batchSize(4).learningRate(5e-3)
                    .schedule(LearningRateSchedule.CONSTANT).build()
                    .train(objective, PROMPTS, held ? PROMPTS : List.of());
        }
    }

    private static double mean(List<StepMetrics> steps, String measure) {
        return steps.stream().mapToDouble(step -> step.measures().get(measure)).average().orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void theRewardRises(GroupOptions.Loss loss) {
        GroupOptions options = loss == GroupOptions.Loss.RLOO ? GroupOptions.rloo()
                : GroupOptions.grpo().withLoss(loss);
        TrainingResult result = train(options, (item, answer) -> vowels(answer), 40, true);
        double before = mean(result.steps().subList(0, 5), "reward");
        double after = mean(result.steps().subList(35, 40), "reward");
        assertTrue(after > before + 0.1, before + " to " + after);
        double held = result.evaluations().get(result.evaluations().size() - 1).loss();
        assertTrue(held < result.evaluations().get(0).loss(), () -> result.evaluations().toString());
        StepMetrics last = result.steps().get(39);
        assertTrue(last.measures().get("completions/mean_length") <= TOKENS);
        assertTrue(last.measures().get("entropy") > 0);
    }

    @Test
    void partsOfGradesAndAnswersWithoutOneAreMeasured() {
        Grader grader = new Grader() {
            @Override
            public double grade(Map<String, Object> item, String answer) {
                return inParts(item, answer).reward();
            }

            @Override
            public Grade inParts(Map<String, Object> item, String answer) {
                if (answer.hashCode() % 2 == 0) {
                    throw new IllegalStateException("no opinion");
                }
                return new Grade(vowels(answer), Map.of("vowels", vowels(answer), "length", (double) answer.length()));
            }
        };
        TrainingResult result = train(GroupOptions.grpo(), grader, 2, false);
        Map<String, Double> measures = result.steps().get(1).measures();
        assertTrue(measures.get("ungraded") > 0 && measures.get("ungraded") < 1, measures.toString());
        assertEquals(measures.get("rewards/vowels"), measures.get("reward"), 1e-6);
        assertTrue(measures.containsKey("rewards/length"));
    }

    @Test
    void aGraderThatGradesNothingEndsTheTrainingWithItsReason() {
        String message = assertThrows(ConfigurationException.class, () -> train(GroupOptions.grpo(), (item, answer) -> {
            throw new IllegalStateException("the table is gone");
        }, 10, false)).getMessage();
        assertTrue(message.contains("no answer of 3 batches") && message.contains("the table is gone"), message);
    }
}
