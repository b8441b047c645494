package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.TokenSequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trainings that are stopped. */
class CancellationTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenerOrAnotherThreadCancels(boolean elsewhere) throws InterruptedException {
        Cancellation cancellation = new Cancellation();
        try (Tiny tiny = new Tiny()) {
            List<float[]> atCancel = new ArrayList<>();
            TrainingResult result = tiny.trainer().epochs(1000).batchSize(2).cancellation(cancellation)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            if (metrics.step() == 3) {
                                atCancel.add(tiny.values());
                                cancelFrom(elsewhere, cancellation);
                            }
                        }
                    }).build().train(EXAMPLES);
            assertTrue(result.cancelled());
            assertEquals(3, result.steps().size());
            assertArrayEquals(atCancel.get(0), tiny.values());
            assertTrue(result.toString().startsWith("cancelled after 3 of 6,000 steps"), result.toString());
        }
    }

    private static void cancelFrom(boolean elsewhere, Cancellation cancellation) {
        if (!elsewhere) {
            cancellation.cancel();
            return;
        }
        Thread thread = new Thread(cancellation::cancel);
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptedThreadSavesWhatItTrained(boolean stops, @TempDir Path folder) {
        Path output = folder.resolve("run");
        Thread here = Thread.currentThread();
        try (Tiny tiny = new Tiny()) {
            TrainingResult result = tiny.trainer().epochs(2).batchSize(4).output(output)
                    .checkpointEverySteps(2).cancellation(stops ? new Cancellation(here::isInterrupted)
                            : new Cancellation())
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            here.interrupt();
                        }
                    }).build().train(EXAMPLES);
            assertEquals(stops, result.cancelled());
            assertEquals(stops ? 1 : 6, result.steps().size());
            tiny.model.loadAdapter("again", output);
            assertTrue(Thread.interrupted(), "whoever started the thread still has to see that it was interrupted");
        } finally {
            Thread.interrupted();
        }
    }

    @Test
    void aTrainingCancelledBeforeItStartsChangesNothing() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        try (Tiny tiny = new Tiny()) {
            float[] before = tiny.values();
            TrainingResult result = tiny.trainer().cancellation(cancellation).validation(EXAMPLES).build()
                    .train(EXAMPLES);
            assertTrue(result.cancelled());
            assertTrue(result.steps().isEmpty() && result.evaluations().isEmpty());
            assertEquals(OptionalDouble.empty(), result.finalTrainLoss());
            assertEquals(0, result.tokensPerSecond());
            assertArrayEquals(before, tiny.values());
        }
    }

    /** Whoever cancels may find out then that the folder belongs to another process by now. */
    @Test
    void aCancellationThatThrowsAtTheEndLeavesTheFolderAsItIs(@TempDir Path folder) {
        Path output = folder.resolve("run");
        AtomicInteger asked = new AtomicInteger();
        Cancellation cancellation = new Cancellation(() -> {
            if (asked.incrementAndGet() > 1) {
                throw new CancellationException("it is another one's");
            }
            return true;
        });
        try (Tiny tiny = new Tiny()) {
            assertThrows(CancellationException.class, () -> tiny.trainer().output(output)
                    .cancellation(cancellation).build().train(EXAMPLES));
            assertFalse(Files.exists(output.resolve("adapter_model.safetensors")));
        }
    }

    @Test
    void cancellingAtTheLastUpdateHasNoEffect() {
        Cancellation cancellation = new Cancellation();
        try (Tiny tiny = new Tiny()) {
            assertFalse(tiny.trainer().epochs(1).batchSize(12).cancellation(cancellation)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(StepMetrics metrics) {
                            cancellation.cancel();
                        }
                    }).build().train(EXAMPLES).cancelled());
        }
    }
}
