package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.serve.FineTuningServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Typed questions that come while others are computed share a pass, whatever adapters they are for. */
class DecisionQueueTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Path ADAPTERS = AnsweringServer.FIXTURES.resolve("adapters");

    @TempDir
    Path folder;
    private final AtomicInteger calls = new AtomicInteger();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);
    private volatile boolean stopping;
    private BaseModel model;
    private FineTuningServer server;

    @BeforeEach
    void start() {
        NaiveKernels naive = new NaiveKernels();
        Kernels counting = (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {
            Kernels.class}, (proxy, method, arguments) -> {
                if (method.getName().equals("attention")) {
                    calls.incrementAndGet();
                    if (stopping) {
                        begun.countDown();
                        open.await();
                    }
                }
                try {
                    return method.invoke(naive, arguments);
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                }
            });
        model = BaseModel.load(ModelLocator.fromEnvironment().locate(AnsweringServer.FIXTURES.resolve("tiny-llama")
                .toString()), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), counting);
        server = FineTuningServer.builder(model, folder).modelName("tiny").adapter("lora", ADAPTERS.resolve("lora"))
                .adapter("dora", ADAPTERS.resolve("dora")).adapter("output", ADAPTERS.resolve("lm-head-tied")).start();
    }

    @AfterEach
    void stop() {
        open.countDown();
        server.close();
        model.close();
    }

    private CompletableFuture<JsonNode> ask(String name, String text) {
        return CLIENT.sendAsync(HttpRequest.newBuilder(URI.create(server.url() + "/v1/systemone"))
                .POST(BodyPublishers.ofString(("{'model': '" + name + "', 'state': '" + text + "', 'questions': {'q': "
                        + "{'type': 'choice', 'criteria': {'x': null, 'y': null}}}}").replace('\'', '"')))
                .build(),
                BodyHandlers.ofString()).thenApply(HttpResponse::body).thenApply(DecisionQueueTest::read);
    }

    private static JsonNode read(String json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitWaiting(int count) throws Exception {
        String line = "decisions_waiting " + (double) count;
        while (CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + "/metrics")).build(), BodyHandlers
                .ofString()).body().lines().noneMatch(line::equals)) {
            Thread.sleep(5);
        }
    }

    /** Asks while a first question is computed; gives how often attention ran for all of them. */
    private int askTogether(List<String> names) throws Exception {
        List<JsonNode> alone = names.stream().map(name -> ask(name, "of " + name).join()).toList();
        int before = calls.get();
        stopping = true;
        CompletableFuture<JsonNode> first = ask("tiny", "a");
        begun.await();
        List<CompletableFuture<JsonNode>> all = names.stream().map(name -> ask(name, "of " + name)).toList();
        awaitWaiting(names.size());
        stopping = false;
        open.countDown();
        first.join();
        for (int i = 0; i < names.size(); i++) {
            JsonNode reply = all.get(i).join();
            assertEquals(alone.get(i).get("usage"), reply.get("usage"), reply.toString());
            assertEquals(alone.get(i).at("/answers/q/probabilities/x").asDouble(),
                    reply.at("/answers/q/probabilities/x").asDouble(), 1e-6, names.get(i));
        }
        return calls.get() - before;
    }

    private int callsOfAPass() {
        int before = calls.get();
        ask("tiny", "a").join();
        return calls.get() - before;
    }

    @Test
    void adaptersShareAPassAndAnswerAsAlone() throws Exception {
        int pass = callsOfAPass();
        assertEquals(2 * pass, askTogether(List.of("tiny", "lora", "dora", "lora")));
    }

    @Test
    void anAdapterOfTheOutputLayerSendsAllIntoPassesOfTheirOwn() throws Exception {
        int pass = callsOfAPass();
        assertEquals(4 * pass, askTogether(List.of("tiny", "lora", "output", "tiny")));
    }
}
