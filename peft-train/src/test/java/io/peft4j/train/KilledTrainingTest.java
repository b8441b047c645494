package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.MemoryFolder;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.train.KilledTraining.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A training that is killed again and again, with dropout, accumulation and a checkpoint after every update, is the
 * training that was not disturbed, bit for bit: in the adapter, in the metrics, and in what lies in the folder.
 */
@Tag("full")
class KilledTrainingTest {
    /** Processes that are killed of each kind: {@code -Dpeft4j.kills=25} kills 50. */
    private static final int KILLS = Integer.getInteger("peft4j.kills", 5);
    /** In this process, where one costs less. */
    private static final int CRASHES = 20;

    @TempDir(factory = MemoryFolder.class)
    private Path folder;

    private void assertUndisturbed(Kind kind, Path output) throws IOException {
        Path whole = folder.resolve("whole");
        KilledTraining.train(kind, new NaiveKernels(), whole, new TrainingListener() {
        });
        assertArrayEquals(Runs.weights(whole), Runs.weights(output));
        assertEquals(Runs.metrics(whole), Runs.metrics(output));
        assertEquals(Runs.names(whole), Runs.names(output), "nothing half written stays");
    }

    @ParameterizedTest
    @EnumSource
    void killedAtRandomMoments(Kind kind) throws Exception {
        SplittableRandom random = new SplittableRandom(kind.ordinal());
        Path output = folder.resolve("killed");
        Path log = Files.createFile(folder.resolve("log"));
        for (int kill = 0; kill < KILLS; kill++) {
            // Some while the libraries load and the checkpoint is read, most while updates and checkpoints are made.
            boolean early = random.nextInt(4) == 0;
            Process process = KilledPrograms.start(log, KilledTraining.class, kind.name(), output.toString());
            awaitLine(process, KilledTraining.STARTED, log);
            for (int updates = early ? 0 : 1 + random.nextInt(3); updates > 0; updates--) {
                awaitLine(process, KilledTraining.UPDATED, log);
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(early ? 1000 : 10));
            process.destroyForcibly();
            assertEquals(128 + 9, process.waitFor(), () -> "it ended by itself: " + KilledPrograms.text(log));
        }
        assertFalse(Runs.checkpoints(output).isEmpty(), "some were killed after a checkpoint");
        Process last = KilledPrograms.start(log, KilledTraining.class, kind.name(), output.toString());
        awaitLine(last, KilledTraining.UPDATED, log);
        assertTrue(last.waitFor(2, TimeUnit.MINUTES), "the process hangs");
        assertEquals(0, last.exitValue(), () -> KilledPrograms.text(log));
        assertUndisturbed(kind, output);
    }

    private static void awaitLine(Process process, String expected, Path log) throws IOException {
        // The same one for each call.
        BufferedReader lines = process.inputReader();
        for (String line = lines.readLine(); !expected.equals(line); line = lines.readLine()) {
            assertTrue(line != null, () -> "it ended by itself: " + KilledPrograms.text(log));
        }
    }

    @ParameterizedTest
    @EnumSource
    void crashedInRandomOperations(Kind kind) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        Path output = folder.resolve("crashed");
        AtomicLong operations = new AtomicLong();
        TrainingResult counted = KilledTraining.train(kind, counting(operations, Long.MAX_VALUE),
                folder.resolve("counted"), new TrainingListener() {
                });
        long twoUpdates = operations.get() * 2 / counted.steps().size();
        for (int crash = 0; crash < CRASHES; crash++) {
            Kernels kernels = counting(new AtomicLong(), 1 + random.nextLong(twoUpdates));
            assertThrows(Runs.Crash.class, () -> KilledTraining.train(kind, kernels, output,
                    new TrainingListener() {
                    }));
        }
        KilledTraining.train(kind, new NaiveKernels(), output, new TrainingListener() {
        });
        assertUndisturbed(kind, output);
    }

    /** Kernels whose operation of a given number crashes. */
    private static Kernels counting(AtomicLong count, long crash) {
        Kernels plain = new NaiveKernels();
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    if (method.getReturnType() == void.class && !method.getName().equals("close")
                            && count.incrementAndGet() == crash) {
                        throw new Runs.Crash();
                    }
                    try {
                        return method.invoke(plain, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
