package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Updates and learning rates against PyTorch's and Transformers'; the files' README says how they were made. */
class AdamWTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures",
            "training");

    @Test
    void updatesMatchPyTorch() throws IOException {
        JsonNode run = new ObjectMapper().readTree(FIXTURES.resolve("adamw.json").toFile());
        float[] start = floats(run.get("start"));
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter parameter = new Parameter("p", Arrays.of(start, start.length));
                Updates optimizer = new Updates(engine, List.of(parameter), AdamW.DEFAULT,
                        run.get("weight_decay").asDouble())) {
            for (int step = 0; step < run.get("gradients").size(); step++) {
                float[] gradient = floats(run.get("gradients").get(step));
                Arrays.write(parameter.gradient(), 0, gradient, 0, gradient.length);
                optimizer.step(run.get("learning_rates").get(step).asDouble(), 1);
                assertClose(run.get("parameters_f64").get(step), Arrays.toFloats(parameter.value()));
                for (float value : Arrays.toFloats(parameter.gradient())) {
                    assertEquals(0, value);
                }
            }
            assertEquals(5, optimizer.steps());
        }
    }

    /** A few roundings of f32 a step, 2^-24 each. */
    private static void assertClose(JsonNode expected, float[] actual) {
        for (int i = 0; i < actual.length; i++) {
            assertEquals(expected.get(i).asDouble(), actual[i], 1e-6 * Math.abs(expected.get(i).asDouble()) + 1e-9);
        }
    }

    @Test
    void theGradientScaleComesBeforeAllElse() {
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter scaled = new Parameter("a", Arrays.of(new float[] {1, 2}, 2));
                Parameter halved = new Parameter("b", Arrays.of(new float[] {1, 2}, 2));
                Updates first = new Updates(engine, List.of(scaled), AdamW.DEFAULT, 0.01);
                Updates second = new Updates(engine, List.of(halved), AdamW.DEFAULT, 0.01)) {
            for (float size : new float[] {1, 4, 0.5f}) {
                Arrays.write(scaled.gradient(), 0, new float[] {size, -size}, 0, 2);
                Arrays.write(halved.gradient(), 0, new float[] {size / 2, -size / 2}, 0, 2);
                assertEquals(Math.sqrt(2) * size, first.gradientNorm(), 1e-6);
                first.step(0.1, 0.5);
                second.step(0.1, 1);
                assertEquals(halved.value(), scaled.value());
            }
        }
    }

    @Test
    void closingTwiceDoesNothing() {
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter parameter = new Parameter("p", Arrays.of(new float[1], 1))) {
            Updates optimizer = new Updates(engine, List.of(parameter), AdamW.DEFAULT, 0);
            optimizer.close();
            optimizer.close();
            assertEquals(0, optimizer.steps());
        }
    }

    @Test
    void learningRatesMatchTransformers() throws IOException {
        JsonNode schedules = new ObjectMapper().readTree(FIXTURES.resolve("schedules.json").toFile()).get("schedules");
        for (JsonNode row : schedules) {
            LearningRateSchedule schedule = LearningRateSchedule.named(
                    row.get("schedule").asText().replace("_with_warmup", ""));
            for (int step = 0; step < row.get("factors").size(); step++) {
                assertEquals(row.get("factors").get(step).asDouble(),
                        schedule.factor(step, row.get("warmup_steps").asLong(), row.get("total_steps").asLong()),
                        1e-15, row + ", step " + step);
            }
        }
        assertEquals(6, schedules.size());
    }

    @Test
    void anUnknownScheduleIsReportedWithTheKnownOnes() {
        assertEquals("unknown schedule 'step'; use one of [constant, linear, cosine, cosine-with-restarts, polynomial, "
                + "warmup-stable-decay]",
                assertThrows(ConfigurationException.class, () -> LearningRateSchedule.named("step")).getMessage());
        assertEquals(LearningRateSchedule.COSINE, LearningRateSchedule.named("Cosine"));
    }

    private static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) array.get(i).asDouble();
        }
        return values;
    }
}
