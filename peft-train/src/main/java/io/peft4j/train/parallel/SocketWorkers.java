package io.peft4j.train.parallel;

import io.peft4j.core.io.Uninterrupted;
import io.peft4j.train.parallel.Link.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers with a connection between every two of them. For a sum each worker adds up its own part of the values for
 * all, and hands the result round: with n workers and s bytes each sends and receives {@code 2 s (n - 1) / n}, in two
 * steps, however many there are.
 */
final class SocketWorkers implements WorkerCollective {
    private static final Logger LOG = LoggerFactory.getLogger(SocketWorkers.class);
    private static final int MOST_WORDS = 64 << 20;
    private static final int FAREWELL_SECONDS = 2;

    private final WorkerGroup group;
    private final Link[] links;
    private final ExecutorService senders = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "peft4j-worker-send");
        thread.setDaemon(true);
        return thread;
    });
    private long calls;
    private float[] sums = {};

    /** @param links by rank; none at this worker's own */
    SocketWorkers(WorkerGroup group, Link[] links) {
        this.group = group;
        this.links = links.clone();
    }

    @Override
    public int rank() {
        return group.rank();
    }

    @Override
    public int count() {
        return group.count();
    }

    @Override
    public int localSteps() {
        return group.localSteps();
    }

    @Override
    public String name(int rank) {
        return group.name(rank);
    }

    @Override
    public void sum(float[] values, int count) {
        if (count < 0 || count > values.length) {
            throw new IllegalArgumentException(count + " of " + values.length + " values");
        }
        long call = calls++;
        int from = bound(rank(), count);
        int length = bound(rank() + 1, count) - from;
        exchange(rank -> links[rank].send(Kind.PART, call, values, bound(rank, count), bound(rank + 1, count)), () -> {
            if (sums.length < length) {
                sums = new float[length];
            }
            Arrays.fill(sums, 0, length, 0);
            for (int rank = 0; rank < count(); rank++) {
                // In the order of ranks, so that the bits do not depend on who was first.
                if (rank == rank()) {
                    add(values, from, 0, length);
                } else {
                    links[rank].receive(Kind.PART, call, length, (part, at, some) -> add(part, 0, at, some));
                }
            }
        });
        System.arraycopy(sums, 0, values, from, length);
        exchange(rank -> links[rank].send(Kind.SUM, call, values, from, from + length), () -> {
            for (int rank = 0; rank < count(); rank++) {
                if (rank != rank()) {
                    int first = bound(rank, count);
                    links[rank].receive(Kind.SUM, call, bound(rank + 1, count) - first,
                            (part, at, some) -> System.arraycopy(part, 0, values, first + at, some));
                }
            }
        });
    }

    private void add(float[] values, int first, int at, int count) {
        for (int i = 0; i < count; i++) {
            sums[at + i] += values[first + i];
        }
    }

    private int bound(int rank, int count) {
        return (int) ((long) count * rank / count());
    }

    @Override
    public List<byte[]> gather(byte[] said) {
        if (said.length > MOST_WORDS) {
            throw new IllegalArgumentException(said.length + " bytes are more than a worker may say");
        }
        long call = calls++;
        List<byte[]> all = new ArrayList<>();
        exchange(rank -> links[rank].send(Kind.WORDS, call, said), () -> {
            for (int rank = 0; rank < count(); rank++) {
                all.add(rank == rank() ? said : links[rank].receive(Kind.WORDS, call, 0, MOST_WORDS));
            }
        });
        return all;
    }

    /** Sends to each, and receives meanwhile. Whatever fails, nothing is sent any more when this returns. */
    private void exchange(IntConsumer send, Runnable receive) {
        Map<Integer, Future<?>> sent = new TreeMap<>();
        try {
            IntStream.range(0, count()).filter(rank -> rank != rank())
                    .forEach(rank -> sent.put(rank, senders.submit(() -> send.accept(rank))));
            receive.run();
            await(sent.values());
        } catch (RuntimeException | Error e) {
            sent.forEach((rank, each) -> {
                if (!isDone(each)) {
                    // A write to a socket ends in no other way.
                    links[rank].close();
                    isDone(each);
                }
            });
            throw e;
        }
    }

    /** Whether a task has ended, for which it gets some time. */
    private static boolean isDone(Future<?> task) {
        return Uninterrupted.call(() -> {
            try {
                task.get(FAREWELL_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException e) {
                LOG.debug("a task of a worker that fails", e);
            }
            return task.isDone();
        });
    }

    private void await(Collection<Future<?>> sent) {
        for (Future<?> each : sent) {
            try {
                each.get(group.silence().toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof WorkerException lost ? lost : new IllegalStateException(e.getCause());
            } catch (TimeoutException e) {
                throw new WorkerException("a worker has not taken what was sent to it for "
                        + group.silence().toSeconds() + " s and counts as lost", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerException("the thread was interrupted while it waited for other workers", e);
            }
        }
    }

    @Override
    public void fail(String reason) {
        List<Future<?>> told = new ArrayList<>();
        for (Link link : links) {
            if (link != null) {
                told.add(senders.submit(() -> link.fail(reason)));
            }
        }
        told.stream().filter(each -> !isDone(each)).forEach(each -> each.cancel(true));
    }

    @Override
    public void close() {
        for (Link link : links) {
            if (link != null) {
                link.close();
            }
        }
        senders.shutdownNow();
    }
}
