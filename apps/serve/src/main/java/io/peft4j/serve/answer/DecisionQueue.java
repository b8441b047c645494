package io.peft4j.serve.answer;

import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.DecisionModel.Reading;
import io.peft4j.serve.model.Decider;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Typed questions of requests that wait while others are computed, answered together: by a chat model's base and
 * adapters in one batch, by other models one batch each. A request that fills a pass by itself waits for nobody.
 */
final class DecisionQueue {
    /** About what a pass takes. */
    private static final long MOST_TOKENS = 2048;

    private final Optional<PeftModel> adapters;
    private final Queue<Waiting> waiting = new ArrayDeque<>();
    /** The one that has it computes for all that wait; the longest waiting is next. */
    private final ReentrantLock turn = new ReentrantLock(true);

    private record Waiting(Decider decider, Reading reading, CompletableFuture<DecisionResult> result) {
    }

    /** @param adapters those that can share a batch, with their base; empty where no model answers by labels */
    DecisionQueue(Optional<PeftModel> adapters) {
        this.adapters = adapters;
    }

    /** How many requests wait. */
    int size() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    /** The answers to what a model has read. */
    DecisionResult decide(Decider decider, Reading reading) {
        Waiting own = new Waiting(decider, reading, new CompletableFuture<>());
        if (reading.tokens() > MOST_TOKENS) {
            answer(List.of(own));
        } else {
            synchronized (waiting) {
                waiting.add(own);
            }
            turn.lock();
            try {
                while (!own.result().isDone()) {
                    next().forEach(this::answer);
                }
            } finally {
                turn.unlock();
            }
        }
        try {
            return own.result().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        }
    }

    /** As many of the requests that wait as a pass takes, those apart that cannot share one. */
    private Collection<List<Waiting>> next() {
        Map<Object, List<Waiting>> batches = new LinkedHashMap<>();
        synchronized (waiting) {
            long tokens = 0;
            while (!waiting.isEmpty() && (tokens += waiting.peek().reading().tokens()) <= MOST_TOKENS) {
                Waiting each = waiting.remove();
                boolean mixes = adapters.isPresent() && each.decider().adapter().isPresent();
                batches.computeIfAbsent(mixes ? "mixed" : each.decider().model(), key -> new ArrayList<>()).add(each);
            }
        }
        return batches.values();
    }

    /** What fails is not all that was asked: each adapter is asked alone then, and at last each request. */
    private void answer(List<Waiting> batch) {
        try {
            List<DecisionResult> results = together(batch);
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).result().complete(results.get(i));
            }
        } catch (RuntimeException | Error e) {
            if (batch.size() == 1) {
                batch.get(0).result().completeExceptionally(e);
                return;
            }
            Map<Object, List<Waiting>> parts = new LinkedHashMap<>();
            batch.forEach(each -> parts.computeIfAbsent(each.decider().model(), key -> new ArrayList<>()).add(each));
            (parts.size() > 1 ? parts.values() : batch.stream().map(List::of).toList()).forEach(this::answer);
        }
    }

    private List<DecisionResult> together(List<Waiting> batch) {
        List<LanguageModel> models = batch.stream().map(each -> each.decider().model()).distinct().toList();
        List<Reading> readings = batch.stream().map(Waiting::reading).toList();
        if (models.size() == 1) {
            return DecisionModel.decide(models.get(0), readings);
        }
        List<String> names = batch.stream().map(each -> each.decider().adapter().orElseThrow()).distinct().toList();
        return DecisionModel.decide(adapters.orElseThrow().byRow(names.toArray(String[]::new)), readings, batch.stream()
                .mapToInt(each -> names.indexOf(each.decider().adapter().orElseThrow())).toArray());
    }
}
