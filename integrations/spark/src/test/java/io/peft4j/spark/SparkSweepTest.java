package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.train.Trainer;
import io.peft4j.train.sweep.SearchSpace;
import io.peft4j.train.sweep.SearchStrategy;
import io.peft4j.train.sweep.Sweep;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SparkSweepTest {
    private static final Path HANDBOOK = Path.of("../../examples", "handbook", "train.jsonl").toAbsolutePath();
    private static final String MODEL = Path.of("../../tests/fixtures",
            "tiny-llama").toAbsolutePath().normalize().toString();

    @TempDir
    private Path folder;

    private static SweepBuilder sweep(BaseModel base, String data, boolean resume) {
        return Sweep.of(base, LoraConfig.builder().rank(2).build(),
                SearchSpace.of("{\"learning_rate\": [1e-5, 1e-2], \"rank\": [2, 4]}", "space.json"))
                .data(ChatDataset.read(Path.of(data))).trainer(model -> Trainer.builder(model).epochs(1).batchSize(4))
                .strategy(SearchStrategy.GRID).sideBySide(2).resume(resume);
    }

    @Test
    void trialsInTasksAreThoseOfTheSweepOnOneMachine() throws IOException {
        String data = Files.write(folder.resolve("data.jsonl"), Files.readAllLines(HANDBOOK).subList(0, 24)).toString();
        SweepResult plain;
        try (BaseModel base = BaseModel.load(MODEL, ModelOptions.defaults().withPrecision(Precision.F32))) {
            plain = sweep(base, data, false).run(folder.resolve("plain"));
        }
        Path output = folder.resolve("spark");
        SweepResult result = SparkSweep.of(TestSpark.local(), MODEL, base -> sweep(base, data, false))
                .precision(Precision.F32).tasks(2).run(output);

        assertEquals(4, result.trials().size());
        for (int i = 0; i < 4; i++) {
            Trial trial = result.trials().get(i);
            assertEquals(Trial.State.FINISHED, trial.state(), () -> trial.message().orElse(""));
            assertEquals(plain.trials().get(i).values(), trial.values());
            assertEquals(plain.trials().get(i).loss().orElseThrow(), trial.loss().orElseThrow(), 1e-4);
        }
        assertEquals(plain.best().orElseThrow().name(), result.best().orElseThrow().name());
        assertEquals(5, result.table().lines().count());
        assertTrue(Files.readString(output.resolve("sweep.html")).contains("trial-004"));
        try (BaseModel base = BaseModel.load(MODEL);
                PeftModel best = base.withAdapter(result.folder(
                        result.best().orElseThrow()))) {
            assertEquals(1, best.adapterNames().size());
        }
        SweepResult resumed = SparkSweep.of(TestSpark.local(), MODEL, base -> sweep(base, data, true))
                .precision(Precision.F32).run(output);
        assertEquals(result.best().orElseThrow().loss(), resumed.best().orElseThrow().loss());
        assertThrows(ConfigurationException.class, () -> SparkSweep.of(TestSpark.local(), MODEL,
                base -> sweep(base, data, false)).precision(Precision.F32).run(output));
    }

    @Test
    @Timeout(120)
    void aJobThatIsCancelledEndsTheTrialsAndTheSweep() throws Exception {
        Path output = folder.resolve("cancelled");
        SparkContext spark = TestSpark.local().sparkContext();
        spark.setJobGroup("sweep", "a sweep that is cancelled", false);
        CompletableFuture<Void> canceller = CompletableFuture.runAsync(() -> {
            while (!Files.exists(output.resolve("trial-001"))) {
                pause();
            }
            spark.cancelJobGroup("sweep");
        });
        SweepResult stopped = SparkSweep.of(TestSpark.local(), MODEL, base -> longSweep(base))
                .precision(Precision.F32).tasks(2).run(output);
        spark.clearJobGroup();
        canceller.get();

        assertTrue(stopped.trials().stream().noneMatch(trial -> trial.state() == Trial.State.FINISHED));
        while (Thread.getAllStackTraces().values().stream().flatMap(Stream::of).anyMatch(frame -> frame.getClassName()
                .startsWith("io.peft4j.train"))) {
            pause();
        }
    }

    /** Takes minutes. */
    private static SweepBuilder longSweep(BaseModel base) {
        return sweep(base, HANDBOOK.toString(), false).trainer(model -> Trainer.builder(model).epochs(1000)
                .batchSize(4));
    }

    /** Until a time-out ends the test. */
    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
