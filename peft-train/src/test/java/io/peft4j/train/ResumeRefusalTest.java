package io.peft4j.train;

import static io.peft4j.train.Runs.EXAMPLES;
import static io.peft4j.train.Runs.assertMessage;
import static io.peft4j.train.Runs.cancellingAfter;
import static io.peft4j.train.Runs.crashingAfter;
import static io.peft4j.train.Runs.train;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.kernel.Nd4jKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import io.peft4j.train.Runs.Crash;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A training is resumed as it began or not at all, and only if there is one. */
class ResumeRefusalTest {
    private static final String LORA = "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4, \"lora_dropout\": 0.2, "
            + "\"use_rslora\": false, \"target_modules\": \"all-linear\"}";

    @TempDir
    private Path folder;

    private static PeftConfig config(String key, String value) {
        return PeftMethods.readConfig(LORA.replaceAll("\"" + key + "\": [^,}]+", "\"" + key + "\": " + value), "test");
    }

    private static Tiny tiny(Kernels kernels, PeftConfig config) {
        return new Tiny(new TinyNetwork(5, false, true), kernels, config, 6);
    }

    private Path cancelled(Tiny tiny) {
        Path output = folder.resolve("run");
        assertTrue(train(tiny, output, cancellingAfter(2)).cancelled());
        return output;
    }

    private static String refusal(Tiny tiny, Path output, UnaryOperator<TrainerBuilder> more) {
        return assertThrows(ConfigurationException.class, () -> train(tiny, output,
                b -> more.apply(b.start(RunStart.RESUME)))).getMessage();
    }

    static Stream<Arguments> options() {
        Map<String, UnaryOperator<TrainerBuilder>> changes = Map.ofEntries(
                Map.entry("epochs is 4, in the run 3", b -> b.epochs(4)),
                Map.entry("learning_rate is 0.02, in the run 0.01", b -> b.learningRate(0.02)),
                Map.entry("batch_size is 1, in the run 2", b -> b.batchSize(1)),
                Map.entry("gradient_accumulation is 1, in the run 2", b -> b.gradientAccumulation(1)),
                Map.entry("schedule is linear, in the run cosine", b -> b.schedule(LearningRateSchedule.LINEAR)),
                Map.entry("warmup_steps is 0, in the run 2", b -> b.warmupSteps(0)),
                Map.entry("weight_decay is 0.0, in the run 0.01", b -> b.weightDecay(0)),
                Map.entry("max_grad_norm is 2.0, in the run 1.0", b -> b.maxGradNorm(2)),
                Map.entry("seed is 12, in the run 11", b -> b.seed(12)),
                Map.entry("shuffle is false, in the run true", b -> b.shuffle(false)),
                Map.entry("share_prefixes is false, in the run true", b -> b.sharePrefixes(false)),
                Map.entry("packing is length-buckets, in the run in-order",
                        b -> b.packing(PackOptions.Strategy.LENGTH_BUCKETS)),
                Map.entry("update_rule is ", b -> b.updateRule(new LoraPlus(4))),
                Map.entry("validation is none, in the run ", b -> b.validation(List.of())));
        return changes.entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @ParameterizedTest
    @MethodSource("options")
    void anotherOptionIsRefused(String difference, UnaryOperator<TrainerBuilder> change) {
        Path output = cancelled(new Tiny(0.2));
        String message = refusal(new Tiny(0.2), output, change);
        String begin = "cannot resume from " + output.resolve("checkpoint-2") + ": settings differ: " + difference;
        assertTrue(message.startsWith(begin), message);
        assertFalse(message.contains(";"), "nothing else differs: " + message);
    }

    @Test
    void allThatDiffersIsListed() {
        Path output = cancelled(new Tiny(0.2));
        String message = refusal(tiny(new Nd4jKernels(1), config("lora_alpha", "8")), output, b -> b.epochs(4));
        assertTrue(message.contains("settings differ: epochs is 4, in the run 3; kernels is nd4j, in the run naive; "
                + "loops is plain, in the run none; lora_alpha is 8, in the run 4. Use the same"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "lora_alpha     | 8                 | lora_alpha is 8, in the run 4",
        "lora_dropout   | 0.1               | lora_dropout is 0.1, in the run 0.2",
        "use_rslora     | true              | use_rslora is true, in the run false",
        "r              | 3                 | r is 3, in the run 2",
        "target_modules | [\"q_proj\"]      | target_modules is [\"q_proj\"]",
    })
    void anotherAdapterConfigurationIsRefused(String key, String value, String difference) {
        Path output = cancelled(tiny(new NaiveKernels(), config("r", "2")));
        String message = refusal(tiny(new NaiveKernels(), config(key, value)), output, b -> b);
        assertTrue(message.contains(difference), message);
    }

    @Test
    void otherExamplesAreRefused() {
        Path output = cancelled(new Tiny(0.2));
        List<TokenSequence> reversed = new ArrayList<>(EXAMPLES);
        Collections.reverse(reversed);
        for (List<TokenSequence> others : List.of(EXAMPLES.subList(0, 10), reversed,
                EXAMPLES.stream().map(example -> TokenSequence.allSupervised(example.ids())).toList())) {
            try (Tiny tiny = new Tiny(0.2)) {
                String message = assertThrows(ConfigurationException.class, () -> Runs.builder(tiny, output)
                        .start(RunStart.RESUME).build().train(others)).getMessage();
                assertTrue(message.contains(": examples is "), message);
            }
        }
    }

    @Test
    void anotherBaseIsRefused() {
        PeftConfig config = config("r", "2");
        Path output = cancelled(tiny(new NaiveKernels(), config));
        String weights = refusal(new Tiny(new TinyNetwork(6, false, true), new NaiveKernels(), config, 6), output,
                b -> b);
        assertTrue(weights.contains("settings differ: base_weights is "), weights);
        String sizes = refusal(new Tiny(new TinyNetwork(5, false, false), new NaiveKernels(), config, 6), output,
                b -> b);
        assertTrue(sizes.contains("tie_word_embeddings is false, in the run true"), sizes);
    }

    /** Of LoRA-FA's random A the file of trained values holds nothing. */
    @Test
    void anAdapterThatDiffersWhereItIsNotTrainedIsRefused() {
        PeftConfig config = config("r", "2");
        Path output = folder.resolve("run");
        try (Tiny tiny = tiny(new NaiveKernels(), config)) {
            cancellingAfter(2).apply(Runs.builder(tiny, output).updateRule(LoraFa.of(tiny.model))).build()
                    .train(EXAMPLES);
        }
        try (Tiny other = new Tiny(new TinyNetwork(5, false, true), new NaiveKernels(), config, 7)) {
            assertMessage("cannot resume from " + output.resolve("checkpoint-2") + ": values that are not trained "
                    + "differ in adapter 'default'",
                    () -> Runs.builder(other, output).updateRule(LoraFa.of(other.model)).start(RunStart.RESUME).build()
                            .train(EXAMPLES));
        }
        try (Tiny same = tiny(new NaiveKernels(), config)) {
            assertEquals(2, Runs.builder(same, output).updateRule(LoraFa.of(same.model)).start(RunStart.RESUME).build()
                    .train(EXAMPLES).plan().doneSteps());
        }
    }

    @Test
    void resumingNeedsATraining() {
        Path output = folder.resolve("run");
        assertMessage("no training to resume in " + output + "; check the folder, or begin one",
                () -> Runs.resume(output));
        assertFalse(Files.exists(output));
        assertThrows(Crash.class, () -> train(output, crashingAfter(2)));
        assertMessage("the training in " + output + " ended before its first checkpoint, so there is nothing to go on",
                () -> Runs.resume(output));
    }

    @Test
    void aFolderWithCheckpointsIsRefusedUnlessResumed() {
        Path output = folder.resolve("run");
        assertThrows(Crash.class, () -> train(output, b -> crashingAfter(3).apply(b.checkpointEverySteps(2))));
        assertTrue(output.resolve(MetricsFile.NAME).toFile().delete());
        assertMessage("the output folder " + output + " already holds a run (checkpoint-2)",
                () -> train(output, b -> b));
    }

    @Test
    void anAdapterWithoutCheckpointIsNotResumed() {
        Path output = folder.resolve("run");
        train(output, b -> b);
        for (RunStart start : List.of(RunStart.RESUME, RunStart.RESUME_OR_START)) {
            assertMessage("the output folder " + output + " holds an adapter, but no checkpoint to go on from",
                    () -> train(output, b -> b.start(start)));
        }
    }

    @Test
    void checkpointsNeedAFolderAndSensibleNumbers() {
        try (Tiny tiny = new Tiny()) {
            TrainerBuilder plain = tiny.trainer();
            assertMessage("checkpoints and resuming need an output folder",
                    () -> plain.start(RunStart.RESUME).build());
            assertMessage("checkpoints and resuming need an output folder",
                    () -> plain.start(RunStart.NEW).checkpointEverySteps(1).build());
            assertMessage("a checkpoint every -1 steps",
                    () -> Runs.builder(tiny, folder).checkpointEverySteps(-1).build());
            assertMessage("a checkpoint every 0 steps, of which 1 are kept",
                    () -> Runs.builder(tiny, folder).keepCheckpoints(1).build());
        }
    }
}
