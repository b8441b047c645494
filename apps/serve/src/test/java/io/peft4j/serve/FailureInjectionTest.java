package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.serve.TestServer.Reply;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One step after the other fails, by an exception and by an Error; after each the same call succeeds. */
class FailureInjectionTest {
    private static final Logger LOG = LoggerFactory.getLogger(FailureInjectionTest.class);
    private static final String QUESTION = "{\"model\": \"tiny-llama\", \"max_tokens\": 6, \"temperature\": 0, "
            + "\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}";
    private static final long LONG = 3_600_000_000_000L;
    private static final long MOST_OF_JOBS = 40;

    @TempDir
    Path data;

    private final AtomicLong later = new AtomicLong();

    /** A class that is loaded while a step fails would not tell of its own steps. */
    @BeforeAll
    static void loadClasses(@TempDir Path folder) throws InterruptedException {
        Faults.where(Step.THREAD, false, what -> false).close();
        try (TestServer server = TestServer.start(folder, builder -> builder.port(0))) {
            server.post("/v1/chat/completions", QUESTION);
            String file = server.upload(TestServer.rows(0, 12));
            server.await(server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + file
                    + "\", \"hyperparameters\": {\"n_epochs\": 1, \"batch_size\": 12}}"), "succeeded");
        }
    }

    private TestServer start(int port) {
        return TestServer.start(data, builder -> builder.port(port).nanos(() -> System.nanoTime() + later.get()));
    }

    /** Lets step after step fail, until a call makes fewer steps; logs and gives how many there were. */
    private static long each(Step step, boolean error, long most, LongFunction<String> call) {
        long number = 1;
        for (boolean met = true; met && number <= most; number++) {
            try (Faults faults = Faults.at(number, error, Set.of(step))) {
                call.apply(number);
                met = !faults.failed().isEmpty();
            }
        }
        LOG.info("{} {}: {} points", step, error ? "errors" : "exceptions", number - 1);
        return number - 1;
    }

    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().filter(Thread::isAlive).map(Thread::getName)
                .filter(name -> name.startsWith("peft4j-") || name.startsWith("qtp"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void awaitThreads(Set<String> before) throws InterruptedException {
        Set<String> left = threads();
        for (int i = 0; i < 500 && !before.containsAll(left); i++) {
            Thread.sleep(20);
            left = threads();
        }
        assertTrue(before.containsAll(left), "still there: " + left);
    }

    private void assertHealthy(TestServer server) {
        later.addAndGet(LONG);
        assertEquals("{\"status\":\"ok\",\"model\":\"tiny-llama\"}", server.get("/health").body().toString());
    }

    @ParameterizedTest
    @CsvSource({"THREAD,false", "THREAD,true", "SOCKET,false", "SOCKET,true"})
    void aStartThatFailsLeavesNothing(Step step, boolean error) throws IOException, InterruptedException {
        start(step, error);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"FILE,false", "FILE,true", "SQL,false", "SQL,true", "HEAP,true"})
    void aStartThatFailsAnywhereLeavesNothing(Step step, boolean error) throws IOException, InterruptedException {
        start(step, error);
    }

    private void start(Step step, boolean error) throws IOException, InterruptedException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        start(port).close();
        Set<String> before = threads();
        boolean met = true;
        long points = 0;
        for (long number = 1; met; number++) {
            try (Faults faults = Faults.at(number, error, Set.of(step))) {
                try (TestServer server = start(port)) {
                    met = !faults.failed().isEmpty();
                } catch (RuntimeException | Error e) {
                    assertTrue(chain(e).contains("injected"), chain(e) + " after " + faults.failed());
                }
            }
            points += met ? 1 : 0;
            awaitThreads(before);
            try (ServerSocket again = new ServerSocket()) {
                again.setReuseAddress(true);
                again.bind(new InetSocketAddress("127.0.0.1", port));
            }
            try (TestServer server = start(port)) {
                assertHealthy(server);
            }
        }
        LOG.info("start, {} {}: {} points", step, error ? "errors" : "exceptions", points);
        assertTrue(points > 0, "no step was met");
    }

    private static String chain(Throwable failure) {
        return failure == null ? "" : failure + "; " + chain(failure.getCause());
    }

    @ParameterizedTest
    @CsvSource({"THREAD,true", "SQL,false"})
    void anAnswerThatFailsIsFollowedByOne(Step step, boolean error) {
        answer(step, error);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"THREAD,false", "SQL,true", "SOCKET,false", "SOCKET,true", "HEAP,true"})
    void anAnswerThatFailsAnywhereIsFollowedByOne(Step step, boolean error) {
        answer(step, error);
    }

    private void answer(Step step, boolean error) {
        try (TestServer server = start(0)) {
            String expected = text(server.post("/v1/chat/completions", QUESTION));
            long points = each(step, error, 400, number -> {
                Reply reply = server.post("/v1/chat/completions", QUESTION);
                assertTrue(reply.status() == 200 ? text(reply).equals(expected) : reply.status() >= 400,
                        reply.toString());
                return text(reply);
            });
            assertEquals(expected, text(server.post("/v1/chat/completions", QUESTION)), points + " points");
            assertHealthy(server);
        }
    }

    private static String text(Reply reply) {
        return reply.body().at("/choices/0/message/content").asText();
    }

    @ParameterizedTest
    @CsvSource({"FILE,false", "SQL,true"})
    void anUploadThatFailsIsFollowedByOne(Step step, boolean error) {
        upload(step, error);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"THREAD,true", "FILE,true", "SQL,false", "SOCKET,true", "HEAP,true"})
    void anUploadThatFailsAnywhereIsFollowedByOne(Step step, boolean error) {
        upload(step, error);
    }

    private void upload(Step step, boolean error) {
        byte[] form = TestServer.form("fine-tune", "rows.jsonl", TestServer.rows(0, 3));
        try (TestServer server = start(0)) {
            each(step, error, 200, number -> {
                Reply reply = server.send(server.upload(form));
                assertTrue(reply.status() == 200 || reply.status() >= 400, reply.toString());
                return reply.toString();
            });
            int before = server.get("/v1/files?limit=1000").get("data").size();
            assertEquals(200, server.send(server.upload(form)).status());
            assertEquals(before + 1, server.get("/v1/files?limit=1000").get("data").size());
            assertHealthy(server);
        }
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"SQL,false", "SQL,true", "FILE,true", "THREAD,true"})
    void aJobThatMeetsAFailureEndsAndTheNextOneSucceeds(Step step, boolean error) throws InterruptedException {
        try (TestServer server = start(0)) {
            String job = "{\"model\": \"tiny-llama\", \"training_file\": \"" + server.upload(TestServer.rows(0, 12))
                    + "\", \"hyperparameters\": {\"n_epochs\": 1, \"batch_size\": 12}}";
            each(step, error, MOST_OF_JOBS, number -> {
                try {
                    Reply made = server.post("/v1/fine_tuning/jobs", job);
                    if (made.status() == 200) {
                        server.await(made.get("id").asText(), "succeeded", "failed");
                    }
                    return made.toString();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertEquals("succeeded", server.await(server.job(job), "succeeded", "failed").get("status").asText());
            assertEquals(List.of(), List.copyOf(server.get("/health").body().findValues("problems")).stream()
                    .filter(problems -> problems.toString().contains("has ended")).toList());
        }
    }

    @Test
    void aThreadOfAnswersThatHasEndedIsTold() throws InterruptedException {
        try (TestServer server = start(0)) {
            Thread answering = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("peft4j-answers")).findFirst().orElseThrow();
            answering.interrupt();
            answering.join();
            Reply health = server.get("/health");
            assertEquals("degraded", health.get("status").asText());
            assertTrue(health.toString().contains("the thread that answers has ended"), health.toString());
        }
    }

    /** As where the heap, or what the kernels may have beside it, is used up. */
    @Test
    void anAnswerThatThereIsNoMemoryForIsRefusedAndTold() {
        try (TestServer server = start(0)) {
            for (String place : List.of("generation.StepPass", "generation.PendingRequest.", "answer.ChatInput")) {
                try (Faults faults = Faults.where(Step.HEAP, true, what -> what.contains(place))) {
                    Reply reply = server.post("/v1/chat/completions", QUESTION);
                    assertTrue(faults.failed().contains(place), place);
                    assertEquals(503, reply.status(), reply.toString());
                    assertTrue(reply.error().get("message").asText().contains("too little memory"), reply.toString());
                    assertEquals("1", reply.headers().firstValue("Retry-After").orElseThrow());
                }
                assertEquals("degraded", server.get("/health").get("status").asText());
                assertEquals(200, server.post("/v1/chat/completions", QUESTION).status());
            }
            assertHealthy(server);
        }
    }

    @Test
    void answersThatDoNotGoOnAreTold() throws InterruptedException {
        Object open = new Object();
        boolean[] held = {true};
        try (TestServer server = start(0)) {
            Thread asking = new Thread(() -> server.post("/v1/chat/completions", QUESTION));
            try (Faults faults = Faults.where(Step.HEAP, true, what -> {
                if (Thread.currentThread().getName().equals("peft4j-answers")) {
                    synchronized (open) {
                        while (held[0]) {
                            try {
                                open.wait();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        }
                    }
                }
                return false;
            })) {
                asking.start();
                String health = "";
                for (int i = 0; i < 500 && !health.contains("have not gone on"); i++) {
                    Thread.sleep(20);
                    later.addAndGet(LONG);
                    health = server.get("/health").body().toString();
                }
                assertTrue(health.contains("degraded") && health.contains("have not gone on"), health);
            } finally {
                synchronized (open) {
                    held[0] = false;
                    open.notifyAll();
                }
            }
            asking.join();
            assertHealthy(server);
        }
    }

    /** Trainings save when they are stopped, which the models have to wait for. */
    @Test
    void aServerThatIsStoppedOnAnInterruptedThreadWaitsForItsJobs() throws InterruptedException {
        Set<String> before = threads();
        TestServer server = start(0);
        String file = server.upload(TestServer.rows(0, 12));
        String id = server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + file
                + "\", \"hyperparameters\": {\"n_epochs\": 50, \"batch_size\": 1}}");
        server.await(id, "running");
        Thread.currentThread().interrupt();
        server.close();
        Set<String> left = threads();
        assertTrue(Thread.interrupted(), "whoever interrupted it still has to be seen");
        left.removeIf(name -> !name.startsWith("peft4j-job"));
        left.removeAll(before);
        assertEquals(Set.of(), left);
    }
}
