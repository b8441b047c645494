package io.peft4j.data.grader;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls of functions that may fail or never end, several at a time. One that does keeps neither the others nor the
 * program from going on.
 *
 * @param threads calls at a time
 * @param limit the longest that a call may take
 */
@Internal(shared = true)
public record LimitedCalls(int threads, Duration limit) {
    /**
     * What became of a call.
     *
     * @param value what it gave
     * @param trouble why it gave nothing, as in {@code takes longer than 60.0 s}
     */
    public record Result<T>(Optional<T> value, Optional<String> trouble) {
    }

    private record Work<T>(Future<T> future, long begin) {
        Result<T> await(Duration limit) throws InterruptedException {
            try {
                return new Result<>(Optional.of(future.get(Math.max(0, begin + limit.toNanos() - System.nanoTime()),
                        TimeUnit.NANOSECONDS)), Optional.empty());
            } catch (TimeoutException e) {
                future.cancel(true);
                return new Result<>(Optional.empty(),
                        Optional.of("takes longer than " + limit.toMillis() / 1000.0 + " s"));
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                return new Result<>(Optional.empty(), Optional.of("fails: " + (cause.getMessage() == null
                        ? cause.getClass().getSimpleName() : cause.getMessage())));
            }
        }
    }

    /** Makes the calls; the results stand in their order. */
    public <T> List<Result<T>> all(List<Callable<T>> calls) {
        ExecutorService pool = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "peft4j-grader");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Result<T>> results = new ArrayList<>();
            Deque<Work<T>> working = new ArrayDeque<>();
            for (Callable<T> call : calls) {
                if (working.size() == threads) {
                    results.add(working.remove().await(limit));
                }
                working.add(new Work<>(pool.submit(call), System.nanoTime()));
            }
            while (!working.isEmpty()) {
                results.add(working.remove().await(limit));
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigurationException("grading was interrupted", e);
        } finally {
            pool.shutdownNow();
        }
    }
}
