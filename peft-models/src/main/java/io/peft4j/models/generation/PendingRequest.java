package io.peft4j.models.generation;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.peft.AdapterLease;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * A request from its submission to its end, with what it keeps alive. What the listener hears goes through a queue of
 * its own, so that whoever decodes never waits for it.
 */
final class PendingRequest implements PendingAnswer {
    /** Made while there was memory for it. */
    private static final Optional<RuntimeException> NO_MEMORY = Optional.of(new IllegalStateException(
            "answering failed: there is no memory even for the reason"));
    private final AnswerRequest request;
    private final EncodedPrompt prompt;
    private final boolean[] invoked;
    private final ModelLease base;
    private final Optional<AdapterLease> adapter;
    private final Runnable wake;
    private final SerialExecutor deliveries;
    private final CompletableFuture<List<Completion>> future = new CompletableFuture<>();
    private final AnswerTimings.Watch watch = new AnswerTimings.Watch();
    private final List<GrowingAnswer> answers = new ArrayList<>();
    /** For each answer the number of tokens whose probabilities have been told. */
    private final int[] told;
    private volatile boolean cancelled;
    private volatile Optional<RuntimeException> failure = Optional.empty();
    private volatile int reused;
    private volatile Optional<AnswerTimings> timings = Optional.empty();
    private volatile boolean ended;

    /**
     * A pending.
     *
     * @param invoked for each token of the prompt whether an adapter that waits for an invocation works on it, or none
     * @param base and {@code adapter} are closed with the pending
     * @param pool runs the listener
     * @param wake tells whoever decodes that the pending is cancelled
     */
    PendingRequest(AnswerRequest request, EncodedPrompt prompt, boolean[] invoked, ModelLease base,
            Optional<AdapterLease> adapter, Executor pool, Runnable wake) {
        this.request = request;
        this.prompt = prompt;
        this.invoked = invoked;
        this.base = base;
        this.adapter = adapter;
        this.wake = wake;
        this.deliveries = new SerialExecutor(pool, this::endDeliveries);
        this.told = new int[request.options().answers()];
        future.whenComplete((done, error) -> {
            if (future.isCancelled()) {
                cancel();
            }
        });
    }

    AnswerRequest request() {
        return request;
    }

    EncodedPrompt prompt() {
        return prompt;
    }

    /** For each token of the prompt whether an adapter that waits for an invocation works on it; empty: on all. */
    boolean[] invoked() {
        return invoked;
    }

    ModelLease base() {
        return base;
    }

    Optional<AdapterLease> adapter() {
        return adapter;
    }

    /** The answers, in their order; whoever makes the pending adds them. */
    List<GrowingAnswer> answers() {
        return answers;
    }

    /** The options of the answers, which tell the request's listener through its queue. */
    GenerationOptions options() {
        return request.options().withListener((index, piece) -> {
            List<TokenProbability> known = answers.get(index).probabilities();
            List<TokenProbability> fresh = List.copyOf(known.subList(told[index], known.size()));
            if (!piece.isEmpty() || !fresh.isEmpty()) {
                told[index] = known.size();
                deliveries.execute(() -> {
                    if (!cancelled && !request.listener().onText(index, piece, fresh)) {
                        cancel();
                    }
                });
            }
            return !cancelled;
        });
    }

    /** The listener has failed, or there is no thread for it: what it was still to hear is dropped. */
    private void endDeliveries(Throwable reason) {
        fail(reason);
        cancel();
        if (ended) {
            complete(List.of());
        }
    }

    /** An answer is complete. */
    void end(int index, Completion completion) {
        deliveries.execute(() -> request.listener().onEnd(index, completion));
    }

    /** Notes why there will be no answer; the first reason counts. An error ends this request and no other. */
    void fail(Throwable reason) {
        Optional<RuntimeException> told = NO_MEMORY;
        try {
            told = Optional.of(reason instanceof RuntimeException known ? known
                    : new IllegalStateException("answering failed: " + reason, reason));
        } finally {
            synchronized (this) {
                failure = failure.isPresent() ? failure : told;
            }
        }
    }

    /** Why there will be no answer. */
    Optional<RuntimeException> failure() {
        return failure;
    }

    /** Nanoseconds that are left; very many without a limit. */
    long left() {
        return request.timeout().map(time -> time.toNanos() - (System.nanoTime() - watch.submitted()))
                .orElse(Long.MAX_VALUE);
    }

    private void checkTime() {
        if (left() <= 0 && failure.isEmpty()) {
            int tokens = answers.stream().mapToInt(GrowingAnswer::length).sum();
            fail(new AnswerTimeoutException("the answer was not complete within " + request.timeout().orElseThrow()
                    + "; it has " + tokens + " tokens so far"));
        }
    }

    /** Whether it is not wanted any more: it is cancelled, has failed, or its time is over. */
    boolean isDead() {
        checkTime();
        return cancelled || failure.isPresent();
    }

    /** As {@link #close(List)}, with the answers as they are: those that are not complete are cancelled. */
    void close() {
        answers.forEach(GrowingAnswer::cancel);
        close(failure.isPresent() ? List.of() : answers.stream().map(GrowingAnswer::completion).toList());
    }

    /** Lets go of what it keeps alive. */
    void release() {
        adapter.ifPresent(AdapterLease::close);
        base.close();
    }

    /** Lets go of what it keeps alive, and completes the future when the listener has heard all; once. */
    void close(List<Completion> completions) {
        if (ended) {
            return;
        }
        ended = true;
        try {
            release();
            timings = Optional.of(watch.end(this));
        } finally {
            try {
                deliveries.execute(() -> complete(completions));
            } catch (RuntimeException | Error e) {
                endDeliveries(e);
            }
        }
    }

    private void complete(List<Completion> completions) {
        if (failure.isPresent()) {
            future.completeExceptionally(failure.get());
        } else {
            future.complete(completions);
        }
    }

    @Override
    public CompletableFuture<List<Completion>> completions() {
        return future;
    }

    @Override
    public void cancel() {
        if (!cancelled) {
            cancelled = true;
            wake.run();
        }
    }

    @Override
    public int promptTokens() {
        return prompt.length();
    }

    @Override
    public int reusedTokens() {
        return reused;
    }

    @Override
    public Optional<AnswerTimings> timings() {
        return timings;
    }

    AnswerTimings.Watch watch() {
        return watch;
    }

    void reused(int tokens) {
        reused = tokens;
    }

    /**
     * Runs what it is given one after the other on threads of a pool, of which it holds one only while there is work.
     */
    private static final class SerialExecutor implements Executor {
        private final Executor pool;
        private final Consumer<Throwable> failed;
        private final Queue<Runnable> tasks = new ArrayDeque<>();
        private boolean running;

        /** @param failed hears what a task throws, and the pool that has no thread, whose tasks are dropped */
        SerialExecutor(Executor pool, Consumer<Throwable> failed) {
            this.pool = pool;
            this.failed = failed;
        }

        @Override
        public void execute(Runnable task) {
            synchronized (tasks) {
                tasks.add(task);
                if (running) {
                    return;
                }
                running = true;
            }
            try {
                pool.execute(this::run);
            } catch (RuntimeException | Error e) {
                synchronized (tasks) {
                    tasks.clear();
                    running = false;
                }
                failed.accept(e);
            }
        }

        private void run() {
            while (true) {
                Runnable task;
                synchronized (tasks) {
                    task = tasks.poll();
                    if (task == null) {
                        running = false;
                        return;
                    }
                }
                try {
                    task.run();
                } catch (RuntimeException | Error e) {
                    failed.accept(e);
                }
            }
        }
    }
}
