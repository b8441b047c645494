package io.peft4j.models.architecture;

import io.peft4j.core.io.Uninterrupted;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs independent tasks on several threads that live no longer than they. */
final class ParallelTasks {
    private ParallelTasks() {
    }

    /** Runs all tasks; the first failure, in their order, is thrown when all have ended. */
    static void run(List<Runnable> tasks, int threads) {
        if (threads == 1 || tasks.size() < 2) {
            tasks.forEach(Runnable::run);
            return;
        }
        ExecutorService pool = Executors.newFixedThreadPool(Math.min(threads, tasks.size()));
        try {
            List<Callable<Object>> calls = new ArrayList<>();
            tasks.forEach(task -> calls.add(Executors.callable(task)));
            for (Future<Object> done : pool.invokeAll(calls)) {
                done.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw (Error) e.getCause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a model was loaded", e);
        } finally {
            pool.shutdownNow();
            // Nothing may run on: the caller frees what the tasks write to.
            Uninterrupted.call(() -> pool.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS));
        }
    }
}
