package io.peft4j.train;

import static io.peft4j.train.Runs.assertMessage;
import static io.peft4j.train.Runs.crashingAfter;
import static io.peft4j.train.Runs.metrics;
import static io.peft4j.train.Runs.train;
import static io.peft4j.train.Runs.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.optimizer.Sgd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Optimizers, parameter groups and schedules of whole trainings. */
class OptimizersOfTrainingTest {
    private static final Path FIXTURES = Path.of("src", "test", "resources", "fixtures", "updates");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"adamw-8bit", "sgd", "lion", "adafactor"})
    void resumedTrainingWithAnyOptimizerEqualsUninterrupted(String name) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        UnaryOperator<TrainerBuilder> chosen = b -> b.optimizer(Optimizer.named(name));
        train(whole, chosen);
        assertThrows(Runs.Crash.class, () -> train(crashed, b -> crashingAfter(5).apply(chosen.apply(b)
                .checkpointEverySteps(2))));
        assertEquals(4, train(crashed, b -> chosen.apply(b).start(RunStart.RESUME)).plan().doneSteps());
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    @Test
    void aTrainingIsResumedWithTheSameOptimizerOnly() {
        Path output = folder.resolve("run");
        assertThrows(Runs.Crash.class, () -> train(output, b -> crashingAfter(3).apply(b.checkpointEverySteps(2))));
        String message = assertThrows(ConfigurationException.class, () -> train(output,
                b -> b.optimizer(Sgd.DEFAULT).start(RunStart.RESUME))).getMessage();
        assertEquals(true, message.contains("optimizer is Sgd[momentum=0.9, nesterov=false], in the run "
                + AdamW.DEFAULT), message);
    }

    /** B with a learning rate of 0 stays, and A moves by SGD's formula with its own weight decay. */
    @Test
    void groupsHaveTheirOwnLearningRateAndWeightDecay() {
        try (Tiny tiny = new Tiny(); Tiny plain = new Tiny()) {
            List<float[]> before = tiny.model.trainableParameters().stream().map(p -> Arrays.toFloats(p.value()))
                    .toList();
            UnaryOperator<TrainerBuilder> common = b -> b.epochs(1).batchSize(4).learningRate(0.01)
                    .schedule(LearningRateSchedule.CONSTANT).maxGradNorm(0).optimizer(new Sgd(0, false));
            common.apply(tiny.trainer()).weightDecay(0.3)
                    .parameterGroup(ParameterGroup.of("lora_B:learning-rate=0"))
                    .parameterGroup(new ParameterGroup("q_proj", OptionalDouble.of(0.02), OptionalDouble.of(0)))
                    .build().train(Tiny.examples(4, 1));
            common.apply(plain.trainer()).build().train(Tiny.examples(4, 1));
            for (int i = 0; i < before.size(); i++) {
                Parameter parameter = tiny.model.trainableParameters().get(i);
                float[] expected = Arrays.toFloats(plain.model.trainableParameters().get(i).value());
                for (int k = 0; k < expected.length; k++) {
                    float start = before.get(i)[k];
                    boolean q = parameter.name().contains("q_proj");
                    double move = parameter.name().contains("lora_B") ? 0 : q ? 2 * (expected[k] - start)
                            : expected[k] - start - 0.01 * 0.3 * start;
                    // Values of about 1 have a rounding of 6e-8.
                    assertEquals(start + move, Arrays.toFloats(parameter.value())[k], 3e-7, parameter.name());
                }
            }
        }
    }

    @Test
    void wrongGroupsAreReported() {
        assertMessage("cannot read the parameter group 'lora_B'; write PATTERN:learning-rate=X",
                () -> ParameterGroup.of("lora_B"));
        assertMessage("cannot read the parameter group 'a:rate=1'", () -> ParameterGroup.of("a:rate=1"));
        assertMessage("the parameter group 'a:weight-decay=x' has the value 'x', which is no number",
                () -> ParameterGroup.of("a:weight-decay=x"));
        assertMessage("the pattern of a parameter group, '(', is no regular expression",
                () -> ParameterGroup.of("(:weight-decay=0"));
        assertMessage("the learning-rate of the parameter group 'a' is 2.0",
                () -> ParameterGroup.of("a:learning-rate=2"));
        assertMessage("the parameter group 'a' has neither", () -> new ParameterGroup("a", OptionalDouble.empty(),
                OptionalDouble.empty()));
        try (Tiny tiny = new Tiny()) {
            assertMessage("the parameter group 'lora_C' fits none of the 28 trained parameters; the nearest",
                    () -> tiny.trainer().parameterGroup(ParameterGroup.of("lora_C:weight-decay=0")).build()
                            .train(Tiny.examples(2, 1)));
        }
    }

    @Test
    void schedulesWithNumbersMatchTransformers() throws IOException {
        int checked = 0;
        for (JsonNode row : new ObjectMapper().readTree(FIXTURES.resolve("schedules.json").toFile()).get("schedules")) {
            LearningRateSchedule schedule = LearningRateSchedule.named(row.get("schedule").asText());
            for (int step = 0; step < row.get("factors").size(); step++) {
                assertEquals(row.get("factors").get(step).asDouble(), schedule.factor(step,
                        row.get("warmup_steps").asLong(), row.get("total_steps").asLong()), 1e-14, row + ", " + step);
            }
            assertEquals(schedule, LearningRateSchedule.named(schedule.toString()));
            checked++;
        }
        assertEquals(14, checked);
    }

    @Test
    void wrongNumbersOfSchedulesAreReported() {
        assertMessage("the schedule linear has no value, got 'linear=2'", () -> LearningRateSchedule.named("linear=2"));
        assertMessage("the schedule 'polynomial=x' has the value 'x', which is no number",
                () -> LearningRateSchedule.named("polynomial=x"));
        assertMessage("the schedule polynomial has at most 2 values",
                () -> LearningRateSchedule.named("polynomial=1,2,3"));
        assertMessage("the schedule polynomial has the value 1.0; it must be the last factor, from 0 to below 1",
                () -> LearningRateSchedule.named("polynomial=1,1"));
        assertMessage("the schedule cosine-with-restarts has the value 0",
                () -> LearningRateSchedule.named("cosine_with_restarts=0.5"));
        assertMessage("the schedule warmup-stable-decay has the value 2.0",
                () -> LearningRateSchedule.named("warmup-stable-decay=2"));
    }

    @Test
    void numbersOutOfRangeAreReported() {
        assertMessage("the alpha of NEFTune is -1.0", () -> TrainingOptions.builder().neftuneAlpha(-1).build());
        assertMessage("the label smoothing is 1.0", () -> TrainingOptions.builder().labelSmoothing(1).build());
    }
}
