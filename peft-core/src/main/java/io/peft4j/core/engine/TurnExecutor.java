package io.peft4j.core.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Few threads for work that takes much processor time, so that it does not crowd out what is more urgent. Tasks of
 * several clients are done in turn: one who has many holds up no other by more than one of them.
 */
public final class TurnExecutor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TurnExecutor.class);
    private static final long IDLE_SECONDS = 30;

    private final Map<String, Deque<Runnable>> waiting = new LinkedHashMap<>();
    private final ThreadPoolExecutor threads;

    /**
     * An executor without threads yet.
     *
     * @param name what its threads are called
     * @param count the most tasks that are done at a time
     */
    public TurnExecutor(String name, int count) {
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(count, count, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                work -> {
                    Thread thread = new Thread(work, name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** An executor of half as many threads as the machine has processors, one at least. */
    public static TurnExecutor ofHalfTheProcessors(String name) {
        return new TurnExecutor(name, Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    }

    /** How many tasks of a client have not begun. */
    public int waiting(String client) {
        synchronized (waiting) {
            return waiting.getOrDefault(client, new ArrayDeque<>()).size();
        }
    }

    /**
     * Does a task when its client's turn comes.
     *
     * @throws RejectedExecutionException when the executor is closed; the task is not done then, as where no thread
     *     can be started
     */
    public void execute(String client, Runnable task) {
        enter(client, tasks -> tasks.add(task), Deque::removeLast);
    }

    /** As {@link #execute}, before all other tasks of the client: for the next part of one that has had a turn. */
    public void executeNext(String client, Runnable task) {
        enter(client, tasks -> tasks.addFirst(task), Deque::removeFirst);
    }

    /** @param back takes the task out again, where no thread can be had for it */
    private void enter(String client, Consumer<Deque<Runnable>> way, Consumer<Deque<Runnable>> back) {
        synchronized (waiting) {
            Deque<Runnable> tasks = waiting.computeIfAbsent(client, name -> new ArrayDeque<>());
            way.accept(tasks);
            boolean accepted = false;
            try {
                // One run at least for each task, whichever it then is.
                threads.execute(this::next);
                accepted = true;
            } finally {
                if (!accepted) {
                    back.accept(tasks);
                    waiting.values().removeIf(Deque::isEmpty);
                }
            }
        }
    }

    private void next() {
        Runnable task;
        synchronized (waiting) {
            if (waiting.isEmpty()) {
                return;
            }
            Map.Entry<String, Deque<Runnable>> first = waiting.entrySet().iterator().next();
            String client = first.getKey();
            Deque<Runnable> tasks = first.getValue();
            task = tasks.remove();
            waiting.remove(client);
            if (!tasks.isEmpty()) {
                waiting.put(client, tasks);
            }
        }
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            // Its thread stays, since there may be none to take its place.
            LOG.error("a task of {} failed", Thread.currentThread().getName(), e);
        }
    }

    /** Takes no further tasks; those that it has are done. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
