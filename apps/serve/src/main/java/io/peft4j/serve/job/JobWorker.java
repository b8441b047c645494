package io.peft4j.serve.job;

import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.FolderLock;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.serve.http.Problems;
import io.peft4j.serve.job.RunningJob.Stop;
import io.peft4j.serve.model.ServedModels;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobClaim;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.JobStatus;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoreException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does jobs: some threads look at the data of new ones, others train, each one job at a time, one answers batches, and
 * one keeps telling the database that this server lives. A job that was held by a server which does not say so any more
 * is taken over.
 */
public final class JobWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JobWorker.class);
    /** How often the queue is checked for jobs of other servers or of an earlier process. */
    private static final long LOOK_MILLIS = 500;
    private static final Duration STOP = Duration.ofMinutes(1);
    private static final String LEASES = "peft4j-job-leases";
    /** Jobs whose data is looked at at a time: one that takes long holds up no other. */
    private static final int CHECKS = 3;
    private static final long TIDY_NANOS = 60_000_000_000L;
    /** What lasts is met again within this time. */
    private static final Duration PROBLEM = Duration.ofSeconds(10);
    private static final String IN_USE = "a job cannot start: another process holds its folder";

    private final Store store;
    private final ServedModels models;
    private final JobTraining training;
    private final BatchRun batches;
    private final WaitingJobs waiting;
    private final Clock clock;
    private final Problems problems;
    private final int atOnce;
    private final WorkShare share;
    private final Map<String, RunningJob> running = new ConcurrentHashMap<>();
    private final Map<String, BackgroundLoop> loops = new ConcurrentSkipListMap<>();
    private final Object news = new Object();
    private long wakes;
    private volatile boolean closed;

    /**
     * A worker that does nothing yet.
     *
     * @param batches answers the requests of batches
     * @param atOnce how many jobs train at a time
     * @param problems hears what keeps it from its jobs
     * @param share lets short requests go before checks of data
     */
    public JobWorker(Store store, ServedModels models, BatchRun batches, VerdictOptions verdict, String organization,
            int atOnce, Clock clock, Problems problems, WorkShare share) {
        this.batches = batches;
        this.share = share;
        this.problems = problems;
        this.store = store;
        this.models = models;
        this.training = new JobTraining(store, models, verdict, organization, clock);
        this.waiting = new WaitingJobs(store, this::now);
        this.atOnce = atOnce;
        this.clock = clock;
    }

    /** Begins; what has begun where a later thread is refused ends with {@link #close}. */
    public void start() {
        for (int i = 1; i <= CHECKS; i++) {
            begin("peft4j-job-check-" + i, taking(store.queue()::takeToValidate, this::check));
        }
        begin(LEASES, leases());
        begin("peft4j-batches", taking(store.queue()::takeBatch, mine -> attempt(mine, batches::run, List.of())));
        for (int i = 1; i <= atOnce; i++) {
            begin("peft4j-job-" + i, taking(store.queue()::takeToTrain, this::train));
        }
    }

    private void begin(String name, BackgroundLoop.Round round) {
        loops.put(name, BackgroundLoop.start(name, Duration.ZERO, round, this::tell));
    }

    /** What keeps jobs from being done, for whoever asks for the server's health. */
    public List<String> problems() {
        List<String> all = new ArrayList<>(problems.now());
        if (!closed) {
            loops.forEach((name, loop) -> {
                if (!loop.isAlive()) {
                    all.add("the thread " + name + " has ended; restart the server");
                }
            });
        }
        return all;
    }

    /** There is news: a job, or something that was done to one. */
    public void wake() {
        synchronized (news) {
            wakes++;
            news.notifyAll();
        }
    }

    /** How many jobs train here now ({@link JobStatus#RUNNING}), or have their data checked. */
    public int working(JobStatus at) {
        return (int) running.values().stream().map(RunningJob::job)
                .filter(job -> job.status() == at && !job.isBatch()).count();
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    /** Waits for news after the first {@code seen}, or for a while; returns the number of all. */
    private long await(long seen, long millis) throws InterruptedException {
        synchronized (news) {
            if (wakes == seen) {
                news.wait(millis);
            }
            return wakes;
        }
    }

    /** Takes one job after the other, and waits while the queue has none. */
    private BackgroundLoop.Round taking(Function<String, Optional<JobClaim>> from, Predicate<RunningJob> work) {
        AtomicLong seen = new AtomicLong();
        return () -> {
            if (!take(from).map(claim -> run(claim, work)).orElse(false)) {
                seen.set(await(seen.get(), LOOK_MILLIS));
            }
            return true;
        };
    }

    /** Whatever becomes of it, the job is given back. */
    private boolean run(JobClaim claim, Predicate<RunningJob> work) {
        try {
            RunningJob mine = new RunningJob(claim);
            running.put(claim.id(), mine);
            if (closed) {
                mine.stop(Stop.SERVER);
            }
            return work.test(mine);
        } finally {
            running.remove(claim.id());
            store.queue().release(claim);
        }
    }

    /** Nothing is begun for which there may be no room. */
    private Optional<JobClaim> take(Function<String, Optional<JobClaim>> from) {
        return store.disk().isFull() ? Optional.empty() : from.apply(models.baseName());
    }

    /** Trouble, with the database for instance, ends no thread: it may be there again soon. */
    private boolean tell(Throwable trouble) {
        if (store.disk().note(trouble)) {
            return true;
        }
        problems.note(trouble);
        if (trouble instanceof StoreException) {
            problems.met("the job queue is unavailable", PROBLEM);
            LOG.warn("job queue unavailable: {}", trouble.getMessage());
        } else {
            problems.met("jobs cannot be taken", PROBLEM);
            LOG.error("job queue failed; its worker continues", trouble);
        }
        return true;
    }

    private boolean check(RunningJob running) {
        if (running.job().isBatch()) {
            attempt(running, mine -> store.queue().validated(mine.claim(), batches.check(mine), List.of(), now()),
                    List.of());
        } else {
            JobCheck check = new JobCheck(models.base(), running.job(), new JobFiles(store, running.job()),
                    share.pieces());
            attempt(running, mine -> store.queue().validated(mine.claim(), check.run(mine), check.events(), now()),
                    check.events());
        }
        wake();
        return true;
    }

    /** Trains a job; gives whether it could. */
    private boolean train(RunningJob mine) {
        JobFiles files = new JobFiles(store, mine.job());
        if (!files.isFree()) {
            problems.met(IN_USE, PROBLEM);
            return false;
        }
        attempt(mine, training::run, List.of());
        if (store.jobs().find(mine.job().id()).filter(now -> now.status() == JobStatus.CANCELLED).isPresent()) {
            files.deleteRun();
        }
        return true;
    }

    /**
     * Does something with a job that was taken. One that was stopped by a full disk resumes when there is room:
     * that is no fault of it.
     *
     * @param seen what was seen before a failure
     */
    private boolean attempt(RunningJob mine, Consumer<RunningJob> work, List<JobEvent> seen) {
        JobClaim claim = mine.claim();
        try {
            work.accept(mine);
        } catch (RuntimeException | Error e) {
            if (store.disk().note(e)) {
                waiting.add(claim.id());
            } else if (e instanceof StoreException trouble) {
                throw trouble;
            } else if ((e instanceof PeftException || e instanceof CancellationException)
                    && mine.stopped().isPresent()) {
                LOG.info("job {} stopped: {}", claim.id(), e.getMessage());
            } else if (e instanceof FolderLock.InUseException) {
                // A worker that was thought dead lives: it has to notice first that it lost the job.
                LOG.info("job {} waits: {}", claim.id(), e.getMessage());
                problems.met(IN_USE, PROBLEM);
            } else if (e instanceof PeftException reason) {
                fail(claim, seen, reason);
            } else {
                internal(claim, seen, e);
            }
        }
        return true;
    }

    private void fail(JobClaim claim, List<JobEvent> seen, PeftException why) {
        String message = new JobFiles(store, claim.job()).withoutPlaces(why.getMessage());
        String code = why instanceof JobFault fault ? fault.code() : "training_failed";
        Optional<String> param = why instanceof JobFault fault ? fault.param() : Optional.empty();
        fail(claim, seen, code, message, param);
    }

    private void internal(JobClaim claim, List<JobEvent> seen, Throwable why) {
        problems.note(why);
        LOG.error("job {} failed", claim.id(), why);
        fail(claim, seen, "server_error", why instanceof OutOfMemoryError ? "the server has too little memory for this "
                + "job; use a smaller batch or shorter examples" : "internal error; see the server log", Optional
                        .empty());
    }

    private void fail(JobClaim claim, List<JobEvent> seen, String code, String message, Optional<String> param) {
        List<JobEvent> events = new ArrayList<>(seen);
        events.add(JobEvent.error("failed", "The job failed: " + message));
        store.queue().fail(claim, code, message, param, events, now());
    }

    /** Renews the leases of what is done here, and stops what is not to go on. */
    private BackgroundLoop.Round leases() {
        AtomicLong seen = new AtomicLong();
        AtomicLong tidied = new AtomicLong(System.nanoTime() - TIDY_NANOS - 1);
        long millis = Math.min(LOOK_MILLIS, store.queue().lease().toMillis() / 4);
        return () -> {
            running.values().forEach(this::renew);
            waiting.look();
            if (System.nanoTime() - tidied.get() > TIDY_NANOS) {
                tidied.set(System.nanoTime());
                store.files().deleteExpired(now());
            }
            seen.set(await(seen.get(), millis));
            return true;
        };
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void renew(RunningJob mine) {
        try {
            Optional<Job> now = store.queue().renew(mine.claim());
            if (now.isEmpty()) {
                mine.stop(Stop.LOST);
            } else if (now.get().paused()) {
                mine.stop(Stop.PAUSED);
            }
        } catch (StoreException e) {
            // Whoever has taken the job meanwhile keeps it: nothing of ours is written then.
            if (!store.disk().note(e)) {
                problems.met("the leases of jobs cannot be renewed", PROBLEM);
                LOG.warn("cannot renew the lease of job {}: {}", mine.job().id(), e.getMessage());
            }
        }
    }

    /** Stops what trains after its step and saves it, so that it resumes at the next start; waits for that. */
    @Override
    public void close() {
        closed = true;
        running.values().forEach(job -> job.stop(Stop.SERVER));
        long end = System.nanoTime() + STOP.toNanos();
        // What is saved is this worker's as long as its leases are renewed.
        stop(name -> !name.equals(LEASES), end);
        stop(LEASES::equals, end);
    }

    private void stop(Predicate<String> which, long end) {
        List<BackgroundLoop> ending = loops.entrySet().stream().filter(entry -> which.test(entry.getKey()))
                .map(Map.Entry::getValue).toList();
        ending.forEach(loop -> loop.stop(Duration.ZERO));
        wake();
        ending.forEach(loop -> loop.awaitEnd(Duration.ofNanos(Math.max(0, end - System.nanoTime()))));
    }
}
