package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertAll;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        return Trainer.builder(model).options(TrainingOptions.of(1, 3, 1e-3)).validation(HELD).keepBest(true)
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
    @CsvSource({"session,NATIVE,6", "session,HEAP,20", "session,FILE,50", "run,NATIVE,8", "run,HEAP,200",
        "run,FILE,150", "run,THREAD,2", "side by side,NATIVE,8", "side by side,HEAP,200", "side by side,FILE,150",
        "side by side,THREAD,4", "sweep,NATIVE,4", "sweep,HEAP,100", "sweep,FILE,100"})
    void everyStepThatFailsLeavesNothingOpen(String what, Step step, int least, TestReporter report)
            throws IOException {
        int points = tryAll(what, step, 1, report);
        assertTrue(points >= least, points + " points");
    }

    /** Every so many-th of the places where a call makes a step fails; gives how many have failed. */
    private int tryAll(String what, Step step, int every, TestReporter report) throws IOException {
        int tried;
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
            Set<String> noted = Collections.synchronizedSet(new LinkedHashSet<>());
            try (Faults noting = Faults.noting(step, noted)) {
                assertEquals(Optional.empty(), call.run(folder.resolve("noted" + step)));
            }
            List<String> places = List.copyOf(noted);
            AtomicInteger points = new AtomicInteger();
            assertAll(what + ", " + step, IntStream.range(0, 2 * places.size()).filter(i -> i / 2 % every == 0)
                    .mapToObj(i -> () -> fails(call, step, places.get(i / 2), i % 2 == 1, points)));
            models.forEach(PeftModel::close);
            report.publishEntry(what + ", " + step, points + " points at " + places.size() + " places");
            tried = points.get();
        }
        assertEquals(first, NativeMemory.blocks(), "a lease is left");
        return tried;
    }

    /** Counts a point, if the call comes to that place. */
    private void fails(Call call, Step step, String at, boolean error, AtomicInteger points) throws IOException {
        Path place = Files.createTempDirectory(folder, "run");
        Path output = place.resolve("output");
        long blocks = NativeMemory.blocks();
        Optional<Throwable> thrown;
        Faults faults = Faults.at(at, error, step);
        try (faults) {
            thrown = call.run(output);
        } catch (RuntimeException | Error | IOException e) {
            thrown = Optional.of(e);
        }
        String where = faults.failed() + (error ? " (Error)" : "") + " at " + at + ": " + thrown;
        if (faults.failed().isEmpty()) {
            assertEquals(Optional.empty(), thrown, where);
            return;
        }
        points.incrementAndGet();
        thrown.ifPresent(e -> assertTrue(tells(e), where));
        assertEquals(blocks, NativeMemory.blocks(), where);
        assertEquals(0, faults.buffers(), where);
        // What cannot be removed, or a lock's file of which it is not known whose it is, stays until the next call.
        boolean stays = faults.failed().matches(".*(\\.delete|FileChannel\\.open .*\\.peft4j\\.lock|\\.tryLock).*");
        assertEquals(List.of(), stays ? held(place) : open(place), where);
        try {
            assertEquals(Optional.empty(), call.run(output), "again: " + where);
        } catch (RuntimeException | Error e) {
            throw new AssertionError("again: " + where, e);
        }
        assertEquals(List.of(), open(place), "again: " + where);
        EmergencyCheckpoint.of(output).remove();
    }

    private static boolean tells(Throwable failure) {
        boolean here = String.valueOf(failure.getMessage()).contains("injected");
        return here || failure.getCause() != null && tells(failure.getCause());
    }

    /** Threads, and open files of a folder. */
    private static List<String> held(Path place) throws IOException {
        Stream<String> threads = Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.equals("peft4j-follower"));
        return Stream.concat(threads, Faults.openFiles(place).stream().map(Path::toString))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** As {@link #held}, with locks of the folder and what is half written there. */
    private static List<String> open(Path place) throws IOException {
        List<String> found = held(place);
        try (Stream<Path> files = Files.walk(place)) {
            files.filter(file -> file.endsWith(FolderLock.FILE) || file.toString().endsWith(".tmp")
                    || file.toString().endsWith(".old")).forEach(file -> found.add(file.toString()));
        } catch (UncheckedIOException e) {
            found.add(e.toString());
        }
        return found;
    }
}
