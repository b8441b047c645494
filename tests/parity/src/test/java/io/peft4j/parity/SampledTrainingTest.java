package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.Grader.Grade;
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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

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
        return train(options, Grading.by(grader), SamplingOptions.defaults(), epochs, held);
    }

    private static TrainingResult train(GroupOptions options, Grading grading, SamplingOptions sampling, int epochs,
            boolean held) {
        BaseModel base = KernelsUnderTest.sharedBest("tiny-llama");
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("lora"))) {
            SampledObjective objective = new SampledObjective(new GroupObjective(model,
                    options.withMaxCompletionLength(TOKENS, false)), grading, sampling.withGroupSize(6),
                    Optional.empty());
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

    /** Of a grader that takes 10 seconds, throws, gives no number or never ends, the training has no grade. */
    @Test
    void aTrainingSurvivesItsGrader() {
        AtomicInteger asked = new AtomicInteger();
        Grader grader = (item, answer) -> switch (asked.getAndIncrement() % 6) {
            case 0 -> sleep(10);
            case 1 -> throw new IllegalStateException("no opinion");
            case 2 -> Double.NaN;
            case 3 -> {
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                }
                yield 0;
            }
            default -> vowels(answer);
        };
        TrainingResult result = train(GroupOptions.grpo(), new Grading(grader, 4, Duration.ofMillis(50)),
                SamplingOptions.defaults(), 2, false);
        assertEquals(TrainingResult.Ending.COMPLETE, result.ending());
        assertEquals(4 / 6.0, mean(result.steps(), "ungraded"), 0.05);
    }

    private static double sleep(int seconds) {
        try {
            TimeUnit.SECONDS.sleep(seconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 1;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aTrainingWhoseRewardCollapsesEndsWhereThatIsAskedFor(boolean ends) {
        AtomicInteger asked = new AtomicInteger();
        // An update asks for 24 grades.
        Grading grading = Grading.by((item, answer) -> asked.getAndIncrement() < 15 * 24 ? 1 + vowels(answer)
                : 0.1 * vowels(answer));
        TrainingResult result = train(GroupOptions.grpo(), grading, SamplingOptions.defaults().withEndsOnCollapse(ends),
                40, false);
        assertEquals(ends ? TrainingResult.Ending.STOPPED_EARLY : TrainingResult.Ending.COMPLETE, result.ending());
        assertTrue(ends ? result.steps().size() <= 26 : result.steps().size() == 40, result.toString());
    }
}
