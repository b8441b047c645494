package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.spark.SparkTrainer.SparkTraining;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trainings whose updates are divided among executors, which may be killed. The test that needs another session, too,
 * is the last one: starting executors takes longer than most trainings here.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SparkTrainerTest {
    private static final String BASE = Path.of("../../tests/fixtures/tiny-llama")
            .toAbsolutePath().normalize().toString();
    private static final int ROWS = 24;
    private static final int UPDATES = 18;
    /** How many executors are killed, each in a training of its own. */
    private static final int KILLS = Integer.getInteger("peft4j.spark.kills", 1);

    @TempDir
    private Path folder;

    private static List<String> rows() {
        return IntStream.range(0, ROWS).mapToObj(i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"Who is "
                + "number " + i + "?\"}, {\"role\": \"assistant\", \"content\": \"Keeper " + i * 7 + ".\"}]}").toList();
    }

    private static PeftModel adapted(BaseModel base) {
        return base.withAdapter(LoraConfig.builder().rank(4).alpha(8).build());
    }

    private static TrainerBuilder options(TrainerBuilder trainer) {
        return trainer.epochs(3).batchSize(4).learningRate(5e-3).seed(3);
    }

    /** What a worker does; each update of the first one takes a while longer. */
    private static SparkTraining training(int millis) {
        return worker -> {
            try (PeftModel model = adapted(worker.base())) {
                return options(worker.trainer(model)).listener(new TrainingListener() {
                    @Override
                    public void onStep(StepMetrics step) {
                        pause(millis);
                    }
                }).build().train(ChatDataset.read(worker.data()));
            }
        };
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private SparkTrainer trainer(SparkSession spark, int workers, String output) {
        return SparkTrainer.builder(spark).base(BASE).precision(Precision.F32).workers(workers).threads(1)
                .checkpointEverySteps(4).output(folder.resolve(output).toUri().toString()).build();
    }

    /** What one machine without Spark makes of it. */
    private record Alone(List<Double> losses, float[] values) {
    }

    private Alone alone() throws IOException {
        Path data = Files.write(folder.resolve("rows.jsonl"), rows());
        try (BaseModel base = base(); PeftModel model = adapted(base)) {
            TrainingResult result = options(Trainer.builder(model)).build().train(ChatDataset.read(data));
            return new Alone(result.steps().stream().map(StepMetrics::trainLoss).toList(), values(model));
        }
    }

    private static BaseModel base() {
        return BaseModel.load(BASE, ModelOptions.defaults().withPrecision(Precision.F32).withThreads(1));
    }

    private static float[] values(PeftModel model) {
        List<float[]> all = model.trainableParameters().stream().map(p -> Arrays.toFloats(p.value())).toList();
        float[] values = new float[all.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : all) {
            System.arraycopy(part, 0, values, at, part.length);
            at += part.length;
        }
        return values;
    }

    private void assertEqual(Alone alone, SparkTrainingResult result, String output) {
        assertEquals(UPDATES, result.updates());
        List<Double> losses = alone.losses().subList(UPDATES - result.trainLosses().size(), UPDATES);
        for (int i = 0; i < losses.size(); i++) {
            assertEquals(losses.get(i), result.trainLosses().get(i), 1e-5);
        }
        try (BaseModel base = base(); PeftModel model = base.withAdapter(folder.resolve(output))) {
            assertArrayEquals(alone.values(), values(model), 1e-4f);
        }
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void trainingsOfTwoAndFourTasksEqualOneWithoutSpark() throws IOException {
        Alone alone = alone();
        for (int workers : TestSpark.FULL ? new int[] {2, 4} : new int[] {2}) {
            SparkSession spark = workers == 2 ? TestSpark.cluster() : TestSpark.session("local[4]");
            SparkTrainingResult result = trainer(spark, workers, "of-" + workers).train(rows(), training(0));

            assertEqual(alone, result, "of-" + workers);
            assertEquals(UPDATES, result.trainLosses().size());
            assertEquals(1, result.attempts());
            List<String> metrics = Files.readAllLines(folder.resolve("of-" + workers + "/metrics.jsonl"));
            assertEquals(UPDATES, metrics.stream().filter(line -> line.contains("train_loss")).count());
        }
    }

    @Tag("full")
    @Test
    void anExecutorThatIsKilledAtAnyMomentChangesNothing() throws Exception {
        Alone alone = alone();
        Random random = new Random();
        for (int i = 0; i < KILLS; i++) {
            String output = "killed-" + i;
            SparkTrainer trainer = trainer(TestSpark.cluster(), 2, output);
            // The first one in the middle of a training, the others at any time.
            Path middle = folder.resolve(output + "/checkpoint-4");
            int moment = random.nextInt(i == 0 ? 500 : 8000);
            boolean waits = i == 0;
            CompletableFuture<Boolean> killer = CompletableFuture.supplyAsync(() -> {
                while (waits && !Files.exists(middle)) {
                    pause(20);
                }
                return kill(moment);
            });
            SparkTrainingResult result = trainer.train(rows(), training(150));

            assertTrue(killer.get(), "an executor was there to be killed after " + moment + " ms");
            assertEqual(alone, result, output);
            assertTrue(i > 0 || result.trainLosses().size() <= UPDATES - 4, result.toString());
        }
    }

    /** Kills one of the executors a while after both have begun. */
    private static boolean kill(long moment) {
        List<ProcessHandle> executors = executors();
        for (; executors.size() < 2; executors = executors()) {
            pause(20);
        }
        pause(moment);
        return executors.get((int) (moment % executors.size())).destroyForcibly();
    }

    private static List<ProcessHandle> executors() {
        return ProcessHandle.current().descendants().filter(process -> process.isAlive()
                && process.info().command().orElse("").endsWith("java")).toList();
    }

    @Tag("full")
    @Test
    void aDriverThatIsStartedAgainGoesOnFromTheLastCheckpoint() throws Exception {
        Alone alone = alone();
        SparkSession spark = TestSpark.cluster();
        CompletableFuture.runAsync(() -> {
            while (!Files.exists(folder.resolve("again/checkpoint-8"))) {
                pause(20);
            }
            spark.sparkContext().cancelAllJobs();
        });
        assertThrows(Exception.class, () -> trainer(spark, 2, "again").train(rows(), training(100)));
        assertFalse(Files.exists(folder.resolve("again/adapter_model.safetensors")));

        SparkTrainingResult result = trainer(spark, 2, "again").train(rows(), training(0));

        assertTrue(result.trainLosses().size() <= UPDATES - 8, result.toString());
        assertEqual(alone, result, "again");
    }

    @Test
    void aMistakeInTheTrainingIsToldOnceAndAsItIs() {
        ConfigurationException mistake = assertThrows(ConfigurationException.class,
                () -> trainer(TestSpark.cluster(), 2, "wrong").train(rows(), worker -> {
                    try (PeftModel model = adapted(worker.base())) {
                        return worker.trainer(model).batchSize(1).build().train(ChatDataset.read(worker.data()));
                    }
                }));
        assertTrue(mistake.getMessage().startsWith("a batch of 1 cannot be divided among 2 workers"),
                mistake.getMessage());
        assertThrows(ConfigurationException.class, () -> trainer(TestSpark.cluster(), 0, "none"));
    }

    @Test
    void progressIsThatOfTheLastUpdate() {
        ProgressAccumulator progress = new ProgressAccumulator();
        progress.add(ProgressAccumulator.Progress.of(new StepMetrics(7, 1, 0.25, 1e-3, 1, 100, 50, 0.5, 30)));
        ProgressAccumulator other = new ProgressAccumulator();
        other.add(ProgressAccumulator.Progress.of(new StepMetrics(5, 1, 0.5, 1e-3, 1, 100, 50, 0.5, 30)));
        progress.merge(other);

        assertEquals("update 7, loss 0.2500, 200 tokens/s, 30 s left", progress.value().toString());
    }
}
