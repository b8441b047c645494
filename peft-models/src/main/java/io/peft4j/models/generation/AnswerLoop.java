package io.peft4j.models.generation;

import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.engine.TurnExecutor;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelLease;
import io.peft4j.models.generation.AnswerService.AnswerStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that decodes, and the requests that wait for it. Tickets enter and are cancelled on any thread; all else
 * happens on the loop's own. It begins with the first pending.
 */
final class AnswerLoop {
    private static final Logger LOG = LoggerFactory.getLogger(AnswerLoop.class);
    /** How much a request counts in the mean time between two that are done. */
    private static final double MEMORY = 0.2;
    private static final long LONGEST_RETRY_SECONDS = 60;
    /** How often requests that cannot begin yet are looked at, whose time may be over. */
    private static final long LOOK_MILLIS = 100;
    /** A step takes seconds at most. */
    private static final Duration STALLED = Duration.ofMinutes(1);
    private static final RuntimeException NO_REASON = new IllegalStateException("decoding failed");

    private final TextGenerator generator;
    private final AnswerServiceOptions options;
    private final CacheShare share;
    private final Object lock = new Object();
    private final ConstraintSearch search = new ConstraintSearch(this::wake);
    private final RequestQueue waiting = new RequestQueue();
    private final Set<PendingRequest> running = new HashSet<>();
    private boolean closing;
    private boolean closed;
    private boolean news;
    private double secondsPerRequest = 1;
    private long lastDone = System.nanoTime();
    private AnswerStatus status;
    /** When an answer grew last, or the first came after there was none: turns in which all fails do not count. */
    private volatile long progressed = System.nanoTime();
    private final BackgroundLoop loop;

    /** A loop over a cache of its share of the memory. */
    AnswerLoop(TextGenerator generator, AnswerServiceOptions options, CacheShare share) {
        this.generator = generator;
        this.options = options;
        this.share = share;
        this.status = new AnswerStatus(0, 0, share.pages() * CachePages.PAGE, 0, 0, 0, 0, 0);
        this.loop = BackgroundLoop.start("peft4j-answers", Duration.ZERO, this::run, failure -> {
            LOG.error("answering failed; it begins again with the next request", failure);
            return true;
        });
    }

    /**
     * Looks whether a client's request would be taken.
     *
     * @throws OverloadedException when too many wait
     * @throws ClosedException when the service is closed
     */
    void requireRoom(String client) {
        synchronized (lock) {
            if (closed) {
                throw new ClosedException("the answer service");
            }
            boolean all = waiting.size() >= options.waiting();
            if (all || waiting.of(client) >= options.waitingPerClient()) {
                long seconds = (long) Math.ceil(secondsPerRequest * (all ? 1 : waiting.of(client)));
                Duration retry = Duration.ofSeconds(Math.max(1, Math.min(LONGEST_RETRY_SECONDS, seconds)));
                throw new OverloadedException((all ? waiting.size() + " requests" : waiting.of(client)
                        + " requests of this client") + " are waiting; try again in " + retry.toSeconds() + " s",
                        retry);
            }
        }
    }

    /** Takes a pending; throws as {@link #requireRoom}. */
    void add(PendingRequest pending) {
        synchronized (lock) {
            requireRoom(pending.request().client());
            search.isReady(pending, pending.answers().get(0));
            // Until now it had nothing to do.
            progressed = running.isEmpty() && waiting.size() == 0 ? System.nanoTime() : progressed;
            waiting.add(pending);
            lock.notifyAll();
        }
    }

    /** Looks after requests that were cancelled, or can go on. */
    void wake() {
        synchronized (lock) {
            news = true;
            lock.notifyAll();
        }
    }

    AnswerStatus status() {
        synchronized (lock) {
            return new AnswerStatus(status.running(), waiting.size(), status.cacheRows(), status.usedCacheRows(),
                    status.keptCacheRows(), status.promptTokens(), status.reusedTokens(), status.newTokens());
        }
    }

    boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        synchronized (lock) {
            while (!running.isEmpty() || waiting.size() > 0) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(lock, left);
            }
            return true;
        }
    }

    /**
     * Why answers do not come; empty where they do, or no one waits for one.
     *
     * @param now the time by the clock of {@link System#nanoTime}
     */
    Optional<String> problem(long now) {
        synchronized (lock) {
            if (!loop.isAlive() && !closing) {
                return Optional.of("the thread that answers has ended; restart the server");
            }
            int asked = running.size() + waiting.size();
            return asked > 0 && now - progressed > STALLED.toNanos() ? Optional.of("answers have not gone on for "
                    + STALLED.toSeconds() + " s; waiting: " + Count.of(asked, "request")) : Optional.empty();
        }
    }

    /** Ends everything that runs and waits, and the thread. */
    void close() {
        synchronized (lock) {
            closing = true;
            closed = true;
            lock.notifyAll();
        }
        loop.awaitEnd(Duration.ofDays(1));
        search.close();
    }

    // ---- the loop

    /** Answers until that fails, or until it is closed; gives whether later requests follow. */
    private boolean run() {
        RuntimeException reason = NO_REASON;
        try {
            // What could not be ended is not answered either.
            if (running.isEmpty()) {
                awaitFirst().ifPresent(this::decode);
                reason = new ClosedException("the answer service");
            }
        } catch (RuntimeException | Error e) {
            reason = new IllegalStateException("decoding failed: " + e, e);
            LOG.error("decoding failed: the current requests fail, later ones start afresh", e);
        } finally {
            end(reason);
        }
        return !isClosed();
    }

    /** Waits for the first request, whose model all are answered by; empty where it is closed before. */
    private Optional<ModelLease> awaitFirst() {
        synchronized (lock) {
            while (!closed && waiting.size() == 0) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    closed = true;
                }
            }
            return closed ? Optional.empty() : Optional.of(waiting.all().get(0).base());
        }
    }

    private void decode(ModelLease first) {
        boolean decodes = !(first.network() instanceof EncoderDecoderNetwork);
        try (AnswerBatch batch = new AnswerBatch(first, options, decodes ? share : share.withoutPages())) {
            while (true) {
                List<PendingRequest> come = take(batch);
                if (isClosed()) {
                    break;
                }
                come.stream().filter(pending -> !pending.isDead())
                        .forEach(decodes ? batch::join : this::answerAlone);
                boolean grown = batch.step(each -> search.isReady(each.pending(), each.answer()));
                settle(batch);
                if (grown) {
                    progressed = System.nanoTime();
                } else {
                    awaitNews();
                }
            }
        }
    }

    /** Waits until what all answers wait for may have been found. */
    private void awaitNews() {
        synchronized (lock) {
            try {
                if (!news && !closed && !running.isEmpty()) {
                    lock.wait(LOOK_MILLIS);
                }
            } catch (InterruptedException e) {
                closed = true;
            }
            news = false;
        }
    }

    /** Waits for something to do, and takes as many requests as there are rows for. */
    private List<PendingRequest> take(AnswerBatch batch) {
        synchronized (lock) {
            while (true) {
                List<PendingRequest> dead = waiting.all().stream().filter(PendingRequest::isDead).toList();
                dead.forEach(waiting::remove);
                dead.forEach(PendingRequest::close);
                List<PendingRequest> come = admitted(batch);
                if (closed || !running.isEmpty()) {
                    return come;
                }
                status = status(batch);
                lock.notifyAll();
                try {
                    // Nothing runs, so what waits cannot begin yet.
                    lock.wait(waiting.size() > 0 ? LOOK_MILLIS : 0);
                    lastDone = System.nanoTime();
                } catch (InterruptedException e) {
                    closed = true;
                }
            }
        }
    }

    private List<PendingRequest> admitted(AnswerBatch batch) {
        List<PendingRequest> come = new ArrayList<>();
        int rows = batch.sequences().size();
        while (waiting.size() > 0 && !closed) {
            Optional<PendingRequest> next = waiting.next(this::runningOf, pending -> mayBegin(pending, batch));
            int wanted = next.map(pending -> pending.answers().size()).orElse(0);
            if (next.isEmpty() || rows > 0 && rows + wanted > options.rows()) {
                break;
            }
            waiting.remove(next.get());
            running.add(next.get());
            come.add(next.get());
            rows += wanted;
        }
        return come;
    }

    /**
     * Whether the first token of a request could be chosen. Of one client's answers that wait for what a constraint
     * allows, no more hold a row than leaves as many to others.
     */
    private boolean mayBegin(PendingRequest pending, AnswerBatch batch) {
        return search.isReady(pending, pending.answers().get(0)) && (pending.request().options().constraint().isEmpty()
                || batch.sequences().stream().filter(each -> !each.answer().isReady()
                        && each.pending().request().client().equals(pending.request().client()))
                        .count() < Math.max(1, options.rows() / 2));
    }

    private int runningOf(String client) {
        return running.stream().filter(pending -> pending.request().client().equals(client))
                .mapToInt(pending -> pending.answers().size()).sum();
    }

    /** Lets go of answers that are complete, and of requests whose answers all are, or that are not wanted any more. */
    private void settle(AnswerBatch batch) {
        for (Sequence each : List.copyOf(batch.sequences())) {
            boolean dead = each.pending().isDead();
            if (dead) {
                each.answer().cancel();
            }
            if (!each.answer().isRunning()) {
                batch.leave(each);
                each.pending().end(each.answer().index(), each.answer().completion());
            }
        }
        synchronized (lock) {
            Set<PendingRequest> live = new HashSet<>();
            batch.sequences().forEach(each -> live.add(each.pending()));
            List<PendingRequest> done = running.stream().filter(pending -> !live.contains(pending)).toList();
            done.forEach(this::done);
            status = status(batch);
        }
    }

    private void done(PendingRequest pending) {
        running.remove(pending);
        pending.close();
        long now = System.nanoTime();
        secondsPerRequest += MEMORY * (Math.min(LONGEST_RETRY_SECONDS, (now - lastDone) / 1e9) - secondsPerRequest);
        lastDone = now;
        lock.notifyAll();
    }

    private AnswerStatus status(AnswerBatch batch) {
        return new AnswerStatus(batch.sequences().size(), waiting.size(), batch.cacheRows(), batch.usedRows(),
                batch.keptRows(), batch.promptTokens(), batch.reusedTokens(), batch.newTokens());
    }

    private boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** An encoder-decoder's answers to one request, which share a batch with no other. */
    private void answerAlone(PendingRequest pending) {
        pending.watch().begin();
        try {
            List<Completion> found = generator.generate(pending.base(), List.of(pending.request().prompt()),
                    pending.options());
            for (int i = 0; i < found.size(); i++) {
                pending.end(i, found.get(i));
            }
            pending.close(found);
            progressed = System.nanoTime();
        } catch (RuntimeException | Error e) {
            pending.fail(e);
        }
    }

    /** Ends all requests, each whatever the end of the others meets. */
    private void end(RuntimeException reason) {
        synchronized (lock) {
            lock.notifyAll();
            List<PendingRequest> all = new ArrayList<>(running);
            all.addAll(waiting.all());
            Closer.closeAll(all.stream().<AutoCloseable>map(each -> () -> {
                waiting.remove(each);
                running.remove(each);
                each.fail(reason);
                each.close();
            }).toList());
        }
    }

    /**
     * Finds what constraints allow next, on threads of its own: answers whose constraint takes long wait for it, and
     * the others grow on. Clients have their turns, and what is not waited for any more is given up.
     */
    private static final class ConstraintSearch implements AutoCloseable {
        private final TurnExecutor threads = TurnExecutor.ofHalfTheProcessors("peft4j-constraints");
        private final Runnable wake;
        private final Set<GrowingAnswer> searched = ConcurrentHashMap.newKeySet();

        /** @param wake runs whenever something was found */
        ConstraintSearch(Runnable wake) {
            this.wake = wake;
        }

        /** Whether the next token of an answer can be chosen now; where not, it will be, and {@code wake} tells. */
        boolean isReady(PendingRequest pending, GrowingAnswer answer) {
            if (answer.isReady()) {
                return true;
            }
            if (searched.add(answer)) {
                try {
                    threads.execute(pending.request().client(), () -> search(pending, answer));
                } catch (RuntimeException | Error e) {
                    searched.remove(answer);
                    pending.fail(e);
                }
            }
            return false;
        }

        private void search(PendingRequest pending, GrowingAnswer answer) {
            long begun = System.nanoTime();
            try {
                answer.prepare(() -> !pending.isDead());
            } catch (RuntimeException | Error e) {
                pending.fail(e);
            } finally {
                pending.watch().searched(System.nanoTime() - begun);
                searched.remove(answer);
                wake.run();
            }
        }

        @Override
        public void close() {
            threads.close();
        }
    }
}
