package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.models.ModelOptions.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Each step of a task that loads a model and answers fails in turn. An executor that meets an Error ends itself. */
@Tag("full")
class FailedTaskTest {
    private static final Path FIXTURES = Path.of("../../tests/fixtures").toAbsolutePath().normalize();
    private static final String ADAPTER = FIXTURES.resolve("adapters").resolve("lora").toString();
    private static final StructType SCHEMA = new StructType().add("question", DataTypes.StringType);

    @TempDir
    private Path folder;

    /** Of a model that no task has loaded yet, since loading is a part of what fails. */
    private PeftFunctions functions() throws IOException {
        Path model = Files.createSymbolicLink(Files.createTempDirectory(folder, "of").resolve("tiny-llama"), FIXTURES
                .resolve("tiny-llama"));
        return PeftFunctions.of(model.toString()).withPrecision(Precision.F32).withAdapter(ADAPTER);
    }

    private static List<Row> answers(PeftFunctions functions) {
        return functions.generate(TestSpark.local().createDataFrame(List.of(RowFactory.create("Who?"),
                RowFactory.create("What is it?")), SCHEMA).coalesce(1), "question", "answer",
                GenerationOptions.defaults().withMaxNewTokens(4)).collectAsList();
    }

    @Test
    void whateverFailsEndsItsJobAlone(TestReporter report) throws Exception {
        awaitNoModel();
        long blocks = NativeMemory.blocks();
        List<Row> expected = answers(functions());
        for (Step step : List.of(Step.NATIVE, Step.HEAP, Step.FILE)) {
            Set<String> places = Collections.synchronizedSet(new LinkedHashSet<>());
            try (Faults noting = Faults.noting(step, places)) {
                assertEquals(expected, answers(functions()));
            }
            // What Spark does of its own.
            places.remove("");
            AtomicInteger points = new AtomicInteger();
            assertAll(places.stream().map(place -> () -> fails(step, place, expected, points)));
            report.publishEntry("task, " + step, points + " points");
            assertTrue(points.get() >= 2, step + ": " + points);
        }
        awaitNoModel();
        for (int i = 0; i < 100 && NativeMemory.blocks() > blocks; i++) {
            Thread.sleep(100);
        }
        assertEquals(blocks, NativeMemory.blocks(), "memory is left");
    }

    private void fails(Step step, String place, List<Row> expected, AtomicInteger points) throws IOException {
        PeftFunctions functions = functions();
        String said;
        Faults faults = Faults.at(place, false, step);
        try (faults) {
            List<Row> answers = answers(functions);
            said = answers.equals(expected) ? "injected, and not needed" : answers.toString();
        } catch (Exception e) {
            said = e.toString();
        }
        if (!faults.failed().isEmpty()) {
            points.incrementAndGet();
            assertTrue(said.contains("injected"), faults.failed() + " at " + place + ": " + said);
            assertEquals(expected, answers(functions), "again: " + faults.failed());
        }
    }

    /** Adapters stay for a minute, and their base for another. */
    private static void awaitNoModel() throws InterruptedException {
        for (int i = 0; i < 1500 && SharedModels.bases() > 0; i++) {
            Thread.sleep(100);
        }
        assertEquals(0, SharedModels.bases(), "a task still has a model");
    }
}
