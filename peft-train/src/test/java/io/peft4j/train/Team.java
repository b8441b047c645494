package io.peft4j.train;

import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerGroup;
import io.peft4j.train.parallel.WorkerSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** Workers that are threads of this process and talk through sockets. */
public final class Team {
    private static final String SECRET = "a secret of this test";

    private Team() {
    }

    /** What a worker does. */
    @FunctionalInterface
    interface Task<T> {
        T run(WorkerCollective workers) throws Exception;
    }

    /** What a worker came to: a value or a failure. */
    record Outcome<T>(T value, Throwable failure) {
    }

    /** Runs a task on each of so many workers. */
    static <T> List<Outcome<T>> run(int count, Task<T> task) {
        return run(count, group -> group, task);
    }

    static <T> List<Outcome<T>> run(int count, UnaryOperator<WorkerGroup> options, Task<T> task) {
        InetAddress here = InetAddress.getLoopbackAddress();
        List<WorkerSocket> sockets = IntStream.range(0, count).mapToObj(i -> WorkerSocket.open(0, here)).toList();
        List<InetSocketAddress> addresses = sockets.stream().map(socket -> new InetSocketAddress(here, socket.port()))
                .toList();
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Future<T>> futures = new ArrayList<>();
            for (int rank = 0; rank < count; rank++) {
                WorkerGroup group = options.apply(new WorkerGroup(rank, addresses, SECRET));
                WorkerSocket socket = sockets.get(rank);
                futures.add(threads.submit(() -> {
                    try (WorkerCollective workers = socket.join(group)) {
                        return task.run(workers);
                    }
                }));
            }
            List<Outcome<T>> outcomes = new ArrayList<>();
            for (Future<T> future : futures) {
                outcomes.add(outcome(future));
            }
            return outcomes;
        } finally {
            threads.shutdownNow();
            sockets.forEach(WorkerSocket::close);
        }
    }

    private static <T> Outcome<T> outcome(Future<T> future) {
        try {
            return new Outcome<>(future.get(), null);
        } catch (ExecutionException e) {
            return new Outcome<>(null, e.getCause());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
