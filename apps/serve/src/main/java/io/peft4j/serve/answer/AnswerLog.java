package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.peft4j.models.generation.AnswerTimings;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModel;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the time of answers went: of the last ones at {@code GET /metrics/answers}, of all as histograms with
 * OpenTelemetry's names, and of slow ones in the log. Nothing of their texts is kept.
 */
final class AnswerLog implements RouteGroup {
    private static final Logger LOG = LoggerFactory.getLogger(AnswerLog.class);
    private static final int KEPT = 100;
    private static final int LISTED = 20;
    /** From a millisecond to two minutes. */
    private static final Duration[] TIMES = IntStream.range(0, 18).mapToObj(i -> Duration.ofMillis(1L << i))
            .toArray(Duration[]::new);
    private static final double[] TOKENS = DoubleStream.iterate(1, tokens -> tokens * 4).limit(12).toArray();

    private final Clock clock;
    private final Duration slow;
    private final Deque<Entry> last = new ArrayDeque<>();
    /** The adapters that answered last, by the names of their models. */
    private final Map<String, String> adapters = new HashMap<>();
    private volatile Optional<MeterRegistry> meters = Optional.empty();

    private record Entry(Optional<String> project, ObjectNode told) {
    }

    /** @param slow answers that take longer are logged */
    AnswerLog(Clock clock, Duration slow) {
        this.clock = clock;
        this.slow = slow;
    }

    /** Counts from now on, too. */
    void count(MeterRegistry registry) {
        meters = Optional.of(registry);
    }

    /** Follows a request to its end. */
    void follow(ServedModel model, PendingAnswer pending) {
        boolean loaded;
        synchronized (this) {
            loaded = model.folder().isPresent() && !model.adapter().equals(adapters.put(model.name(), model.adapter()));
        }
        pending.completions().whenComplete((done, error) -> pending.timings().ifPresent(timings -> add(model, loaded,
                timings, Optional.ofNullable(error))));
    }

    private void add(ServedModel model, boolean loaded, AnswerTimings timings, Optional<Throwable> error) {
        ObjectNode told = Json.object().put("object", "answer").put("model", model.name()).put("ended_at", clock
                .millis() / 1000.0).put("status", error.map(e -> e.getClass().getSimpleName()).orElse("completed"));
        told.put("adapter_loaded", loaded).set("timings", json(timings));
        synchronized (this) {
            last.addFirst(new Entry(model.project(), told));
            if (last.size() > KEPT) {
                last.removeLast();
            }
        }
        meters.ifPresent(registry -> count(registry, model.name(), timings));
        if (timings.total().compareTo(slow) > 0) {
            LOG.warn("slow answer: {}", told);
        }
    }

    private static void count(MeterRegistry registry, String model, AnswerTimings timings) {
        time(registry, "gen_ai.server.request.duration", "Whole requests", model, timings.total());
        time(registry, "gen_ai.server.time_to_first_token", "From a request to its first token", model, timings
                .firstToken());
        timings.perToken().ifPresent(each -> time(registry, "gen_ai.server.time_per_output_token",
                "A token behind the first", model, each));
        time(registry, "peft4j.answer.queue", "From a request to its batch", model, timings.queue());
        time(registry, "peft4j.answer.engine", "For which an answer waited for the engine", model, timings.engine());
        time(registry, "peft4j.answer.schema", "For which a schema was searched", model, timings.schema());
        tokens(registry, model, "input", timings.promptTokens());
        tokens(registry, model, "output", timings.newTokens());
    }

    private static void time(MeterRegistry registry, String name, String description, String model, Duration time) {
        Timer.builder(name).description(description).tag("gen_ai.request.model", model).serviceLevelObjectives(TIMES)
                .register(registry).record(time);
    }

    private static void tokens(MeterRegistry registry, String model, String type, int count) {
        DistributionSummary.builder("gen_ai.client.token.usage").description("Tokens of requests")
                .tag("gen_ai.request.model", model).tag("gen_ai.token.type", type).serviceLevelObjectives(TOKENS)
                .register(registry).record(count);
    }

    /** Milliseconds, and tokens. */
    static ObjectNode json(AnswerTimings timings) {
        ObjectNode node = Json.object().put("total_ms", millis(timings.total()))
                .put("queue_ms", millis(timings.queue())).put("prompt_ms", millis(timings.prompt()))
                .put("first_token_ms", millis(timings.firstToken()))
                .put("decoding_ms", millis(timings.decoding()));
        timings.perToken().ifPresent(each -> node.put("per_token_ms", millis(each)));
        return node.put("engine_wait_ms", millis(timings.engine())).put("schema_ms", millis(timings.schema()))
                .put("prompt_tokens", timings.promptTokens()).put("reused_tokens", timings.reusedTokens())
                .put("new_tokens", timings.newTokens());
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1000 / 1000.0;
    }

    @Override
    public void addTo(Routes routes) {
        routes.get("/metrics/answers", Operation.of("listAnswers", "Where the time of the last answers went")
                .reply(Operation.OBJECT), request -> {
                    ObjectNode reply = Json.object().put("object", "list");
                    ArrayNode data = reply.putArray("data");
                    synchronized (this) {
                        Caller caller = Caller.of(request);
                        for (Iterator<Entry> each = last.iterator(); each.hasNext() && data.size() < LISTED;) {
                            Entry entry = each.next();
                            if (entry.project().map(caller::sees).orElse(caller.project().isEmpty())) {
                                data.add(entry.told());
                            }
                        }
                    }
                    Bodies.reply(request, reply);
                });
    }
}
