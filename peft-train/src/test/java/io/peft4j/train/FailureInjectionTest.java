package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.io.FolderLock;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.sweep.SearchSpace;
import io.peft4j.train.sweep.Sweep;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.StackWalker.StackFrame;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every step of a training that the system may refuse fails in turn: memory, files, threads. After each nothing is
 * open, and the same call succeeds.
 */
class FailureInjectionTest {
    private static final List<TokenSequence> EXAMPLES = Tiny.examples(6, 1);
    private static final List<TokenSequence> HELD = Tiny.examples(2, 2);

    @TempDir
    private Path folder;

    /** Something that is done again and again, in a folder of its own; gives what failed in parts of it. */
    private interface Call {
        Optional<Throwable> run(Path output) throws IOException;
    }

    /** Follows a training on a thread of its own, as trackers do. */
    private static final class Follower implements TrainingListener {
        private Optional<BackgroundLoop> loop = Optional.empty();

        @Override
        public void onStart(TrainingPlan plan) {
            loop = Optional.of(BackgroundLoop.start("peft4j-follower", Duration.ofMillis(1), () -> true, e -> true));
        }

        @Override
        public void onEnd(TrainingResult result) {
            loop.ifPresent(each -> each.stop(Duration.ofMinutes(1)));
        }

        @Override
        public void onFailure(Throwable failure) {
            loop.ifPresent(each -> each.stop(Duration.ofMinutes(1)));
        }
    }

    private static TinyModel base() {
        return new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(TinyNetwork.VOCABULARY),
                new NaiveKernels());
    }

    private static PeftModel model(TinyModel base) {
        return PeftModel.of(base, LoraConfig.builder().rank(2).alpha(4).targetModules("q_proj").build(),
                new SplittableRandom(3));
    }

    private static TrainerBuilder trainer(PeftModel model, Path output) {
        return Trainer.builder(model).options(TrainingOptions.of(2, 3, 1e-3)).validation(HELD).keepBest(true)
                .checkpointEverySteps(1).output(output).start(RunStart.RESUME_OR_START).logProgress(false)
                .listener(new Follower());
    }

    private static Optional<Throwable> session(PeftModel model, Path output) {
        try (TrainingSession session = TrainingSession.of(model)) {
            session.forwardBackward(EXAMPLES, TokenLoss.crossEntropy());
            session.step(1e-3);
            session.save(output);
            session.load(output);
            session.logProbabilities(HELD);
        }
        return Optional.empty();
    }

    private static Optional<Throwable> run(PeftModel model, Path output) {
        assertNotNull(trainer(model, output).build().train(EXAMPLES));
        assertTrue(Files.isRegularFile(output.resolve("adapter_model.safetensors")), "it is saved");
        return Optional.empty();
    }

    private static Optional<Throwable> sideBySide(List<PeftModel> models, Path output) {
        List<Trainer> trainers = new ArrayList<>();
        models.forEach(model -> trainers.add(trainer(model, output.resolve("training" + trainers.size())).build()));
        return SideBySideTrainer.of(trainers).train(EXAMPLES).stream().<Throwable>flatMap(each -> each.failure()
                .stream()).findFirst();
    }

    /** A trial that has failed stays so; a sweep that was broken off is resumed. */
    private Optional<Throwable> sweep(TinyModel base, Path wanted) throws IOException {
        Path file = wanted.resolve("sweep.json");
        Path output = Files.exists(file) && Files.readString(file).contains("\"failed\"")
                ? wanted.resolveSibling(wanted.getFileName() + "-again") : wanted;
        Path data = folder.resolve("data.jsonl");
        if (Files.notExists(data)) {
            Files.writeString(data, Stream.of("a", "b", "c").map(word -> "{\"messages\": [{\"role\": \"user\", "
                    + "\"content\": \"" + word + "\"}, {\"role\": \"assistant\", \"content\": \"a\"}]}\n")
                    .collect(Collectors.joining()));
        }
        SweepResult result = Sweep.of(base, LoraConfig.builder().rank(2).alpha(4).targetModules("q_proj").build(),
                SearchSpace.of("{\"learning_rate\": [1e-4, 1e-3]}", "space.json"))
                .data(ChatDataset.read(data)).validation(ChatDataset.read(data))
                .trainer(model -> Trainer.builder(model).options(TrainingOptions.of(1, 2, 1e-3)))
                .resume(Files.exists(output.resolve("sweep.json"))).run(output);
        return result.trials().stream().filter(trial -> trial.state() == Trial.State.FAILED)
                .<Throwable>map(trial -> new IllegalStateException(trial.message().orElseThrow())).findFirst();
    }

    @ParameterizedTest
    @CsvSource({"session,NATIVE", "session,FILE", "run,THREAD", "run,FILE", "run,NATIVE"})
    void whateverFailsLeavesNothingOpen(String what, Step step, TestReporter report) throws IOException {
        assertTrue(tryAll(what, step, step == Step.THREAD ? 1 : 9, report) >= 2, what);
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(strings = {"session", "run", "side by side", "sweep"})
    void everyStepThatFailsLeavesNothingOpen(String what, TestReporter report) throws IOException {
        int points = 0;
        for (Step step : List.of(Step.NATIVE, Step.HEAP, Step.FILE, Step.THREAD)) {
            points += tryAll(what, step, 1, report);
        }
        assertTrue(points >= 20, what + ": " + points);
    }

    /** Every so many-th of the places where a call makes a step fails; gives how many have failed. */
    private int tryAll(String what, Step step, int every, TestReporter report) throws IOException {
        int points = 0;
        int first = (int) NativeMemory.blocks();
        try (TinyModel base = base()) {
            List<PeftModel> models = List.of(model(base), model(base));
            Call call = switch (what) {
                case "session" -> output -> session(models.get(0), output);
                case "run" -> output -> run(models.get(0), output);
                case "side by side" -> output -> sideBySide(models, output);
                default -> output -> sweep(base, output);
            };
            // What is made at the first use and stays, such as gradients.
            assertEquals(Optional.empty(), call.run(folder.resolve("first")));
            List<Integer> numbers = numbers(call, step);
            for (int i = 0; i < numbers.size(); i += every) {
                for (boolean error : new boolean[] {false, true}) {
                    points += fails(call, what, step, numbers.get(i), error) ? 1 : 0;
                }
            }
            models.forEach(PeftModel::close);
            report.publishEntry(what + ", " + step, points + " points at " + numbers.size() + " places");
        }
        assertEquals(first, NativeMemory.blocks(), "a lease is left");
        return points;
    }

    /**
     * The numbers of the steps that a call makes, of those that come from the same lines of this project the first: a
     * file of each checkpoint is written by the same ones, and is given up in the same way.
     */
    private List<Integer> numbers(Call call, Step step) throws IOException {
        Map<String, Integer> numbers = new LinkedHashMap<>();
        AtomicInteger number = new AtomicInteger();
        try (Faults noted = Faults.where(step, false, what -> {
            synchronized (numbers) {
                numbers.putIfAbsent(lines(), number.incrementAndGet());
            }
            return false;
        })) {
            assertEquals(Optional.empty(), call.run(folder.resolve("noted" + step)));
        }
        return List.copyOf(numbers.values());
    }

    private static String lines() {
        return StackWalker.getInstance().walk(frames -> frames.map(StackFrame::toString).filter(frame -> frame
                .startsWith("io.peft4j.")).collect(Collectors.joining(" ")));
    }

    /** Whether a step of that number was there. */
    private boolean fails(Call call, String what, Step step, int number, boolean error) throws IOException {
        Path output = folder.resolve("run" + step + number + error);
        long blocks = NativeMemory.blocks();
        Optional<Throwable> thrown;
        Faults faults = Faults.at(number, error, Set.of(step));
        try (faults) {
            thrown = call.run(output);
        } catch (RuntimeException | Error | IOException e) {
            thrown = Optional.of(e);
        }
        String where = what + ", step " + number + ", " + faults.failed() + (error ? " (Error)" : "") + ": " + thrown;
        if (faults.failed().isEmpty()) {
            assertEquals(Optional.empty(), thrown, where);
            return false;
        }
        thrown.ifPresent(e -> assertTrue(tells(e), where));
        assertEquals(blocks, NativeMemory.blocks(), where);
        assertEquals(0, faults.buffers(), where);
        // What cannot be removed, or a lock's file of which it is not known whose it is, stays until the next call.
        boolean stays = faults.failed().matches(".*(\\.delete|FileChannel\\.open .*\\.peft4j\\.lock|\\.tryLock).*");
        assertEquals(List.of(), stays ? held() : open(), where);
        try {
            assertEquals(Optional.empty(), call.run(output), "again: " + where);
        } catch (RuntimeException | Error e) {
            throw new AssertionError("again: " + where, e);
        }
        assertEquals(List.of(), open(), "again: " + where);
        EmergencyCheckpoint.of(output).remove();
        return true;
    }

    private static boolean tells(Throwable failure) {
        boolean here = String.valueOf(failure.getMessage()).contains("injected");
        return here || failure.getCause() != null && tells(failure.getCause());
    }

    /** Threads, and open files of the folder. */
    private List<String> held() throws IOException {
        List<String> found = new ArrayList<>();
        Thread.getAllStackTraces().keySet().stream().map(Thread::getName).filter(name -> name.equals("peft4j-follower"))
                .forEach(found::add);
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            for (Path file : files.toList()) {
                try {
                    Path target = Files.readSymbolicLink(file);
                    if (target.startsWith(folder)) {
                        found.add("open " + target);
                    }
                } catch (IOException e) {
                    // The list's own, closed by now.
                    continue;
                }
            }
        }
        return found;
    }

    /** As {@link #held}, with locks of the folder and what is half written there. */
    private List<String> open() throws IOException {
        List<String> found = held();
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(file -> file.endsWith(FolderLock.FILE) || file.toString().endsWith(".tmp")
                    || file.toString().endsWith(".old")).forEach(file -> found.add(file.toString()));
        } catch (UncheckedIOException e) {
            found.add(e.toString());
        }
        return found;
    }
}
