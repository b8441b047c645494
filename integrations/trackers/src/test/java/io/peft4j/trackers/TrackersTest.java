package io.peft4j.trackers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.LogLines;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.trackers.Tracker.MetricRow;
import io.peft4j.trackers.Tracker.RunDescription;
import io.peft4j.trackers.Tracker.RunEnd;
import io.peft4j.trackers.Tracker.TrackedRun;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrackersTest {
    private static final TrainingPlan PLAN = new TrainingPlan(12, 0, 100, 50, 3, 6, 0, 1000,
            Map.of("learning_rate", "0.001"), "");

    @TempDir
    private Path folder;

    private static StepMetrics step(int number) {
        return new StepMetrics(number, number / 3.0, 2.0 / number, 1e-3 / number, 0.5, 100, 50, 0.25, 1);
    }

    private static TrainingResult result(int steps) {
        return new TrainingResult(PLAN, IntStream.rangeClosed(1, steps).mapToObj(TrackersTest::step).toList(),
                List.of(new TrainingResult.Evaluation(3, 1, 1.5)), TrainingResult.Ending.COMPLETE,
                OptionalLong.empty(), 1.5, Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static void train(TrackingListener listener) {
        listener.onStart(PLAN);
        listener.onStep(step(1));
        listener.onStep(step(2));
        listener.onStep(step(3));
        listener.onEvaluation(new TrainingResult.Evaluation(3, 1, 1.5));
        listener.onEnd(result(3));
    }

    /** Remembers what it gets. */
    private static final class Memory implements Tracker {
        private final List<String> told = Collections.synchronizedList(new ArrayList<>());

        @Override
        public String name() {
            return "memory";
        }

        @Override
        public TrackedRun begin(RunDescription run) {
            told.add("begin " + run.name() + " " + run.settings());
            return new TrackedRun() {
                @Override
                public void log(List<MetricRow> rows) {
                    rows.forEach(row -> told.add(row.step() + " " + row.values().keySet()));
                }

                @Override
                public void end(RunEnd end) {
                    told.add("end " + end.status() + " " + end.summary().get("final_eval_loss"));
                }
            };
        }
    }

    @Test
    void aTrackerHearsAllInOrder() {
        Memory memory = new Memory();
        train(new TrackingListener("a run", List.of(memory)));
        String values = "[epoch, train_loss, learning_rate, grad_norm, tokens, supervised_tokens, tokens_per_s]";
        assertEquals(List.of("begin a run {learning_rate=0.001}", "1 " + values, "2 " + values, "3 " + values,
                "3 [epoch, eval_loss]", "end FINISHED 1.5"), memory.told);
    }

    @Test
    void aFailedTrainingIsTold() {
        Memory memory = new Memory();
        TrackingListener listener = new TrackingListener("a run", List.of(memory));
        listener.onStart(PLAN);
        listener.onFailure(new IllegalStateException("no"));
        assertEquals("end FAILED null", memory.told.get(1));
    }

    /** A tracker of which each row is what a test makes of it. */
    private record Scripted(String name, Consumer<List<MetricRow>> log, List<RunEnd> ends) implements Tracker {
        @Override
        public TrackedRun begin(RunDescription run) {
            return new TrackedRun() {
                @Override
                public void log(List<MetricRow> rows) {
                    log.accept(rows);
                }

                @Override
                public void end(RunEnd end) {
                    ends.add(end);
                }
            };
        }
    }

    @Test
    void anErrorOfAClientLibraryIsToldOnceAndItsRowsDoNotPileUp() throws Exception {
        List<RunEnd> ends = new CopyOnWriteArrayList<>();
        Scripted broken = new Scripted("broken", rows -> {
            throw new OutOfMemoryError("no room for a request");
        }, ends);
        Memory memory = new Memory();
        String log = log(() -> train(new TrackingListener("a run", List.of(broken, memory))));
        assertEquals(6, memory.told.size());
        assertEquals(1, log.lines().filter(line -> line.contains("the tracker broken is left out from here on, the "
                + "training continues: OutOfMemoryError: no room for a request")).count(), log);
        assertEquals(List.of(), ends);
    }

    @Test
    void ofASlowTrackerABoundedNumberOfRowsWaits() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger rows = new AtomicInteger();
        List<RunEnd> ends = new CopyOnWriteArrayList<>();
        Scripted slow = new Scripted("slow", some -> {
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            rows.addAndGet(some.size());
        }, ends);
        TrackingListener listener = new TrackingListener("a run", List.of(slow));
        String log = log(() -> {
            listener.onStart(PLAN);
            IntStream.rangeClosed(1, 12_000).forEach(number -> listener.onStep(step(number)));
        });
        assertTrue(log.contains("the tracker slow is 10000 rows behind: rows from update 10"), log);
        String after = log(() -> {
            release.countDown();
            listener.onEnd(result(3));
        });
        assertTrue(after.contains("the tracker slow was too slow for "), after);
        assertEquals(1, ends.size());
        assertTrue(rows.get() >= 9_999 && rows.get() < 11_000, rows.toString());
    }

    @Test
    void aTrackerWhoseThreadTheSystemRefusesIsLeftOut() throws Exception {
        List<RunEnd> ends = new CopyOnWriteArrayList<>();
        Memory memory = new Memory();
        String log;
        try (Faults refusing = Faults.at(1, true, Set.of(Step.THREAD))) {
            log = log(() -> train(new TrackingListener("a run", List.of(new Scripted("refused", rows -> {
            }, ends), memory))));
        }
        assertTrue(log.contains("the tracker refused is left out"), log);
        assertEquals(6, memory.told.size());
        assertEquals(List.of(), ends);
    }

    @Test
    void aTrackerThatFailsDisturbsNobody() {
        for (String when : List.of("begin", "log", "end")) {
            Memory memory = new Memory();
            Tracker broken = new Tracker() {
                @Override
                public String name() {
                    return "broken";
                }

                private void fail(String at) throws IOException {
                    if (at.equals(when)) {
                        throw new IOException("the server is gone");
                    }
                }

                @Override
                public TrackedRun begin(RunDescription run) throws IOException {
                    fail("begin");
                    return new TrackedRun() {
                        @Override
                        public void log(List<MetricRow> rows) throws IOException {
                            fail("log");
                        }

                        @Override
                        public void end(RunEnd end) throws IOException {
                            fail("end");
                        }
                    };
                }
            };
            train(new TrackingListener("a run", List.of(broken, memory)));
            assertEquals(6, memory.told.size(), when);
        }
    }

    /** It hangs until the test lets it go, and the training has come to its end by then. */
    @Test
    void aTrackerThatHangsHoldsNobodyUp() {
        CountDownLatch release = new CountDownLatch(1);
        Memory memory = new Memory();
        Tracker hanging = new Tracker() {
            @Override
            public String name() {
                return "hanging";
            }

            @Override
            public TrackedRun begin(RunDescription run) throws InterruptedException {
                release.await();
                return memory.begin(run);
            }
        };
        train(new TrackingListener("a run", List.of(hanging)).withPatience(Duration.ofMillis(50)));
        assertEquals(1, release.getCount());
        assertTrue(memory.told.isEmpty());
        release.countDown();
    }

    @Test
    void whoHasNotAnsweredForLongIsHardlyWaitedFor() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Tracker hanging = new Tracker() {
            @Override
            public String name() {
                return "hanging";
            }

            @Override
            public TrackedRun begin(RunDescription run) throws InterruptedException {
                release.await();
                return new Memory().begin(run);
            }
        };
        TrackingListener listener = new TrackingListener("a run", List.of(hanging)).withPatience(
                Duration.ofMillis(400));
        listener.onStart(PLAN);
        Thread.sleep(150);

        String log = log(() -> listener.onEnd(result(3)));

        release.countDown();
        assertTrue(log.contains("the tracker hanging has not answered for a while and does not get"), log);
    }

    /** It takes what comes first, and is gone when the rest comes. */
    @Test
    void anMlflowServerThatDiesMidwayIsLeftOut() throws Exception {
        List<String> paths = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch logged = new CountDownLatch(2);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            paths.add(exchange.getRequestURI().getPath());
            exchange.getRequestBody().readAllBytes();
            byte[] answer = "{\"run\": {\"info\": {\"run_id\": \"r1\", \"artifact_uri\": \"file:/x\"}}}"
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
            if (paths.get(paths.size() - 1).endsWith("log-batch")) {
                logged.countDown();
            }
        });
        server.start();
        TrackingListener listener = new TrackingListener("a run", List.of(new MlflowTracker(URI.create(
                "http://127.0.0.1:" + server.getAddress().getPort()), Map.of())));

        String log = log(() -> {
            listener.onStart(PLAN);
            listener.onStep(step(1));
            await(logged);
            server.stop(0);
            listener.onStep(step(2));
            listener.onEnd(result(2));
        });

        assertTrue(paths.get(0).endsWith("runs/create"), paths.toString());
        assertTrue(log.contains("the tracker mlflow is left out from here on, the training continues"), log);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(1, TimeUnit.MINUTES), "the server was asked for less");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String log(Runnable action) {
        return String.join("\n", LogLines.of(action));
    }

    @Test
    void csvGetsColumnsAsTheyCome() throws IOException {
        Path file = folder.resolve("metrics.csv");
        train(new TrackingListener("a run", List.of(new CsvTracker(file))));
        assertEquals(List.of(
                "step,epoch,train_loss,learning_rate,grad_norm,tokens,supervised_tokens,tokens_per_s,eval_loss",
                "1,0.333333,2.0,0.001,0.5,100.0,50.0,400.0,", "2,0.666667,1.0,5.0E-4,0.5,100.0,50.0,400.0,",
                "3,1.0,0.6666666666666666,3.333333333333333E-4,0.5,100.0,50.0,400.0,", "3,1.0,,,,,,,1.5"),
                Files.readAllLines(file));
    }

    @Test
    void csvOfAResumedTrainingGoesOnWhereItWas() throws IOException {
        Path file = folder.resolve("metrics.csv");
        train(new TrackingListener("a run", List.of(new CsvTracker(file))));
        TrackingListener resumed = new TrackingListener("a run", List.of(new CsvTracker(file)));
        resumed.onStart(new TrainingPlan(12, 0, 100, 50, 3, 6, 2, 1000, Map.of(), ""));
        resumed.onStep(step(3));
        resumed.onEnd(result(1));
        List<String> lines = Files.readAllLines(file);
        assertEquals(4, lines.size());
        assertTrue(lines.get(2).startsWith("2,") && lines.get(3).startsWith("3,"), lines.toString());
    }

    @Test
    void micrometerShowsTheLastValuesWhileATrainingRuns() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        TrackedRun run = new MicrometerTracker(registry).begin(new RunDescription("a run", Map.of(), Optional.empty(),
                0));
        run.log(List.of(new MetricRow(1, java.time.Instant.now(), Map.of("train_loss", 2.0)),
                new MetricRow(2, java.time.Instant.now(), Map.of("train_loss", 1.5))));
        assertEquals(1.5, registry.get("peft4j.training.train_loss").tag("run", "a run").gauge().value());
        assertEquals(2.0, registry.get("peft4j.training.step").gauge().value());
        run.end(new RunEnd(RunEnd.Status.FINISHED, Map.of(), Optional.empty()));
        assertTrue(registry.getMeters().isEmpty());
    }

    @Test
    void wordsNameTrackers() {
        assertInstanceOf(TensorBoardTracker.class, Trackers.of("tensorboard"));
        assertInstanceOf(WandbTracker.class, Trackers.of("wandb=" + folder));
        assertInstanceOf(CsvTracker.class, Trackers.of("csv=" + folder.resolve("a.csv")));
        assertInstanceOf(MlflowTracker.class, Trackers.of("mlflow=http://localhost:1"));
        for (String word : List.of("tensorbord", "mlflow=localhost:5000", "mlflow=http://a b", "csv=", "")) {
            String message = assertThrows(ConfigurationException.class, () -> Trackers.of(word)).getMessage();
            assertTrue(message.contains(word.replaceAll("=.*", "")), message);
        }
        assertTrue(assertThrows(ConfigurationException.class, () -> Trackers.of("tensorbord")).getMessage()
                .contains("'tensorboard'"));
    }

    @Test
    void trackersWithoutAPlaceWriteToTheFolderOfTheTraining() throws Exception {
        for (Tracker tracker : Trackers.all()) {
            if (!tracker.name().equals("mlflow")) {
                tracker.begin(new RunDescription("a run", Map.of(), Optional.of(folder), 0))
                        .end(new RunEnd(RunEnd.Status.FINISHED, Map.of(), Optional.empty()));
            }
        }
        assertTrue(Files.exists(folder.resolve("metrics.csv")) && Files.exists(folder.resolve("runs"))
                && Files.exists(folder.resolve("wandb")));
        Tracker homeless = Trackers.of("csv");
        assertThrows(ConfigurationException.class, () -> homeless.begin(new RunDescription("a run", Map.of(),
                Optional.empty(), 0)));
    }
}
