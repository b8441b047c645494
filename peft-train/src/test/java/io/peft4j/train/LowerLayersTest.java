package io.peft4j.train;

import static io.peft4j.train.Runs.EXAMPLES;
import static io.peft4j.train.Runs.after;
import static io.peft4j.train.Runs.metrics;
import static io.peft4j.train.Runs.train;
import static io.peft4j.train.Runs.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.train.Runs.Crash;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters of lower layers stay as they are after some epochs, and the rest of the training is what it is then. */
class LowerLayersTest {
    /** Sums in f32 taken in another order, over three updates of which each changes what follows. */
    private static final double ROUNDING = 1e-4;
    private static final int STEPS_PER_EPOCH = 3;

    @TempDir
    private Path folder;

    private static Map<String, float[]> values(Tiny tiny, Predicate<String> names) {
        return tiny.model.trainableParameters().stream().filter(parameter -> names.test(parameter.name()))
                .collect(Collectors.toMap(Parameter::name, parameter -> Arrays.toFloats(parameter.value())));
    }

    private static boolean isLower(String name) {
        return name.contains("layers.0.");
    }

    @Test
    void lowerAdaptersStayAndUpperOnesLearnAfterTheEpoch() {
        try (Tiny tiny = new Tiny()) {
            Map<String, float[]> lower = new HashMap<>();
            Map<String, float[]> upper = new HashMap<>();
            TrainerBuilder builder = Runs.builder(tiny, folder.resolve("run")).freezeLower(1);
            after(STEPS_PER_EPOCH, () -> {
                lower.putAll(values(tiny, LowerLayersTest::isLower));
                upper.putAll(values(tiny, name -> name.contains("layers.1.")));
            }).apply(builder).build().train(EXAMPLES);
            assertFalse(lower.isEmpty() || upper.isEmpty());
            values(tiny, LowerLayersTest::isLower)
                    .forEach((name, now) -> assertArrayEquals(lower.get(name), now, name));
            values(tiny, upper::containsKey)
                    .forEach((name, now) -> assertTrue(Tiny.distance(upper.get(name), now) > ROUNDING, name));
        }
    }

    @Test
    void theFirstUpdateWithFrozenLayersHasTheLossOfAWholePass() {
        TrainingResult whole = train(new Tiny(), folder.resolve("whole"), b -> b);
        TrainingResult frozen = train(new Tiny(), folder.resolve("frozen"), b -> b.freezeLower(1));
        for (int i = 0; i <= STEPS_PER_EPOCH; i++) {
            assertEquals(whole.steps().get(i).trainLoss(), frozen.steps().get(i).trainLoss(), ROUNDING);
        }
        assertTrue(frozen.steps().get(STEPS_PER_EPOCH).gradNorm() < whole.steps().get(STEPS_PER_EPOCH)
                .gradNorm(), "the gradient still reaches the lower layers");
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void resumedTrainingWithFrozenLayersEqualsUninterrupted(KernelProvider kernels) throws IOException {
        Path whole = folder.resolve("whole");
        Path crashed = folder.resolve("crashed");
        UnaryOperator<TrainerBuilder> freezing = b -> b.freezeLower(1);
        train(new Tiny(0, kernels.create(2)), whole, freezing);
        for (long step : new long[] {3, 5, 8}) {
            assertThrows(Crash.class, () -> train(new Tiny(0, kernels.create(2)), crashed,
                    b -> after(step, () -> {
                        throw new Crash();
                    }).apply(freezing.apply(b).checkpointEverySteps(1).start(RunStart.RESUME_OR_START))));
        }
        TrainingResult result = train(new Tiny(0, kernels.create(2)), crashed,
                b -> freezing.apply(b).start(RunStart.RESUME));
        assertTrue(result.plan().doneSteps() > STEPS_PER_EPOCH, "resumed before the layers were frozen");
        assertArrayEquals(weights(whole), weights(crashed));
        assertEquals(metrics(whole), metrics(crashed));
    }

    @Test
    void adaptersWithDropoutAreRefused() {
        String message = assertThrows(ConfigurationException.class,
                () -> train(new Tiny(0.2, new NaiveKernels()), folder, b -> b.freezeLower(1))).getMessage();
        assertTrue(message.contains("dropout") && message.contains("freeze-lower"), message);
    }
}
