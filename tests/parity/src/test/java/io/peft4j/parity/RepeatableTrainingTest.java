package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.Monteclora;
import io.peft4j.lora.Velora;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Cancellation;
import io.peft4j.train.RunStart;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same seed gives the same adapter, byte for byte, on every implementation of the kernels; also when resumed. */
class RepeatableTrainingTest {
    private static final List<TokenSequence> EXAMPLES = Fixtures
            .stream(Fixtures.json("training/examples.json").get("examples")).map(Fixtures::supervised).toList();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @MethodSource("io.peft4j.parity.KernelsUnderTest#all")
    void theSameSeedGivesTheSameBytes(KernelsUnderTest kernels) throws IOException {
        LoraConfig lora = LoraConfig.builder().rank(4).alpha(8).dropout(0.1).targetModules(TargetModules.ALL_LINEAR)
                .build();
        assertRepeatable(kernels, lora, folder);
    }

    /** What belongs to a training beside the trained values is resumed with it. */
    @ParameterizedTest
    @MethodSource("io.peft4j.parity.KernelsUnderTest#all")
    void alsoWithVariantsOfTraining(KernelsUnderTest kernels) throws IOException {
        LoraConfig lora = LoraConfig.builder().rank(4).dropout(0.1).build();
        assertRepeatable(kernels, lora.toBuilder().velora(new Velora(5, 1, Velora.Direction.FIRST_AVERAGE)).build(),
                folder.resolve("velora"));
        assertRepeatable(kernels, lora.toBuilder().monteclora(new Monteclora(3, true, 0.1, 0.1, 1e-3, 150)).build(),
                folder.resolve("monteclora"));
    }

    private void assertRepeatable(KernelsUnderTest kernels, LoraConfig config, Path runs) throws IOException {
        byte[] first = train(kernels, config, runs.resolve("first"), b -> b);
        assertArrayEquals(first, train(kernels, config, runs.resolve("second"), b -> b));
        assertFalse(java.util.Arrays.equals(first, train(kernels, config, runs.resolve("other"), b -> b.seed(6))));
        Cancellation cancellation = new Cancellation();
        TrainingListener impatient = new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
                if (metrics.step() == 4) {
                    cancellation.cancel();
                }
            }
        };
        byte[] interrupted = train(kernels, config, runs.resolve("resumed"),
                b -> b.cancellation(cancellation).listener(impatient));
        assertFalse(java.util.Arrays.equals(first, interrupted));
        assertTrue(Files.isDirectory(runs.resolve("resumed/checkpoint-4")));
        assertArrayEquals(first, train(kernels, config, runs.resolve("resumed"), b -> b.start(RunStart.RESUME)));
    }

    private static byte[] train(KernelsUnderTest kernels, LoraConfig config, Path output,
            UnaryOperator<TrainerBuilder> options) throws IOException {
        BaseModel base = kernels.shared("tiny-llama");
        try (PeftModel model = base.withAdapter(config)) {
            options.apply(Trainer.builder(model).epochs(3).learningRate(0.005).batchSize(2)
                    .gradientAccumulation(2).seed(5).output(output)).build().train(EXAMPLES);
        }
        return Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE));
    }
}
