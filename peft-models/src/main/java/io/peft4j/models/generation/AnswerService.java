package io.peft4j.models.generation;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Answers requests of many clients at once, to a base model and to any of its adapters.
 *
 * <p>Adapters may be added, swapped and deleted meanwhile: a request is answered by the adapter that had its name when
 * it was submitted. Every answer is the one that is given alone. For use by any number of threads; the model is not
 * closed with it.
 */
public final class AnswerService implements AutoCloseable {
    private final Optional<PeftModel> adapters;
    private final BaseLanguageModel base;
    private final AnswerServiceOptions options;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "answers");
        thread.setDaemon(true);
        return thread;
    });
    private final Queue<Pending> pending = new ArrayDeque<>();
    private boolean closed;

    private AnswerService(Optional<PeftModel> adapters, BaseLanguageModel base, AnswerServiceOptions options) {
        this.adapters = adapters;
        this.base = base;
        this.options = options;
    }

    /**
     * A service for a base model and its adapters, those that come later among them.
     *
     * @throws ConfigurationException when the model does not predict tokens
     */
    public static AnswerService open(PeftModel model, AnswerServiceOptions options) {
        return new AnswerService(Optional.of(model), model.base(), options);
    }

    /**
     * A service for a base model alone.
     *
     * @throws ConfigurationException when the model does not predict tokens
     */
    public static AnswerService open(BaseLanguageModel model, AnswerServiceOptions options) {
        return new AnswerService(Optional.empty(), model, options);
    }

    private final class Pending implements PendingAnswer {
        private final AnswerRequest request;
        private final LanguageModel model;
        private final CompletableFuture<List<Completion>> future = new CompletableFuture<>();
        private volatile boolean cancelled;

        Pending(AnswerRequest request, LanguageModel model) {
            this.request = request;
            this.model = model;
        }

        private void run() {
            try {
                List<Completion> found = model.generate(List.of(request.prompt()), request.options().withListener(
                        (answer, piece) -> request.listener().onText(answer, piece, List.of()) && !cancelled));
                for (int i = 0; i < found.size(); i++) {
                    request.listener().onEnd(i, found.get(i));
                }
                future.complete(found);
            } catch (RuntimeException e) {
                future.completeExceptionally(e);
            } finally {
                synchronized (AnswerService.this) {
                    pending.remove(this);
                    AnswerService.this.notifyAll();
                }
            }
        }

        @Override
        public CompletableFuture<List<Completion>> completions() {
            return future;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public int promptTokens() {
            return 0;
        }
    }

    /**
     * Takes a request. Returns at once.
     *
     * @throws OverloadedException when too many wait already
     * @throws ConfigurationException when the adapter does not exist, the prompt is too long or cannot be rendered, or
     *     the options do not fit the model
     * @throws ClosedException when the service or the model is closed
     */
    public synchronized PendingAnswer submit(AnswerRequest request) {
        if (closed) {
            throw new ClosedException("the answer service");
        }
        if (pending.size() >= options.waiting()) {
            throw new OverloadedException(pending.size() + " requests wait already", Duration.ofSeconds(1));
        }
        LanguageModel model = request.adapter().equals(PeftModel.BASE)
                ? adapters.map(all -> all.with()).orElse(base)
                : adapters.map(all -> all.with(request.adapter())).orElseThrow(() -> new ConfigurationException(
                        "unknown adapter '" + request.adapter() + "'; the model has none"));
        Pending accepted = new Pending(request, model);
        pending.add(accepted);
        worker.execute(accepted::run);
        return accepted;
    }

    /** What it does now and has done. */
    public synchronized AnswerStatus status() {
        return new AnswerStatus(Math.min(1, pending.size()), Math.max(0, pending.size() - 1), 0, 0, 0, 0, 0, 0);
    }

    /**
     * Waits until nothing runs and nothing waits.
     *
     * @return whether that came true in time
     */
    public synchronized boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        while (!pending.isEmpty()) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    /** Refuses new requests and cancels all others; a second time does nothing. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            pending.forEach(Pending::cancel);
        }
        worker.shutdown();
    }
}
