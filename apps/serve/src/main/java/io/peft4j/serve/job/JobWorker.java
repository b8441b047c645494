package io.peft4j.serve.job;

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
import java.util.function.BooleanSupplier;
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
    private static final long BACK_OFF_MILLIS = 2000;
    private static final long STOP_MILLIS = 60_000;
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
    private final List<Thread> threads = new ArrayList<>();
    private final Object news = new Object();
    private long wakes;
    private volatile boolean stopping;
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

    /** Begins. */
    public void start() {
        for (int i = 1; i <= CHECKS; i++) {
            begin("peft4j-job-check-" + i, () -> takeAll(store.queue()::takeToValidate, this::check));
        }
        begin("peft4j-job-leases", this::renewAll);
        begin("peft4j-batches", () -> takeAll(store.queue()::takeBatch, claim -> hold(claim, batches::run, List.of())));
        for (int i = 1; i <= atOnce; i++) {
            begin("peft4j-job-" + i, () -> takeAll(store.queue()::takeToTrain, this::train));
        }
    }

    private void begin(String name, Runnable work) {
        Thread thread = new Thread(() -> keepUp(work), name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    /** Whatever goes wrong ends no thread. */
    private void keepUp(Runnable work) {
        boolean ended = false;
        while (!ended) {
            try {
                work.run();
                ended = true;
            } catch (RuntimeException | Error e) {
                tell(e);
                pause(BACK_OFF_MILLIS);
            }
        }
    }

    /** What keeps jobs from being done, for whoever asks for the server's health. */
    public List<String> problems() {
        List<String> all = new ArrayList<>(problems.now());
        if (!closed) {
            threads.stream().filter(thread -> !thread.isAlive()).map(thread -> "the thread " + thread.getName()
                    + " has ended; restart the server").forEach(all::add);
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

    /** How many jobs train here now. */
    public int training() {
        return running.size();
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    /** Waits for news after the first {@code seen}, or for a while; returns the number of all. */
    private long await(long seen, long millis) {
        synchronized (news) {
            if (wakes == seen && !stopping) {
                try {
                    news.wait(millis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    stopping = true;
                }
            }
            return wakes;
        }
    }

    private void takeAll(Function<String, Optional<JobClaim>> from, Predicate<JobClaim> work) {
        long seen = 0;
        while (!stopping) {
            if (!attempt(() -> take(from).map(work::test).orElse(false))) {
                seen = await(seen, LOOK_MILLIS);
            }
        }
    }

    /** Nothing is begun for which there may be no room. */
    private Optional<JobClaim> take(Function<String, Optional<JobClaim>> from) {
        return store.disk().isFull() ? Optional.empty() : from.apply(models.baseName());
    }

    /** Trouble with the database ends no thread: it may be there again soon. */
    private boolean attempt(BooleanSupplier work) {
        try {
            return work.getAsBoolean();
        } catch (RuntimeException | Error e) {
            if (!store.disk().note(e)) {
                tell(e);
            }
        }
        synchronized (news) {
            try {
                news.wait(BACK_OFF_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                stopping = true;
            }
        }
        return false;
    }

    /** Throws nothing, also if there is no memory for a line of the log. */
    private void tell(Throwable trouble) {
        try {
            problems.note(trouble);
            if (trouble instanceof StoreException) {
                problems.met("the job queue is unavailable", PROBLEM);
                LOG.warn("job queue unavailable: {}", trouble.getMessage());
            } else {
                problems.met("jobs cannot be taken", PROBLEM);
                LOG.error("job queue failed; its worker continues", trouble);
            }
        } catch (RuntimeException | Error e) {
            pause(1);
        }
    }

    private boolean check(JobClaim claim) {
        Job job = claim.job();
        if (job.isBatch()) {
            hold(claim, mine -> store.queue().validated(claim, batches.check(mine), List.of(), now()), List.of());
        } else {
            JobCheck check = new JobCheck(models.base(), job, new JobFiles(store, job), share.pieces());
            hold(claim, mine -> store.queue().validated(claim, check.run(mine), check.events(), now()),
                    check.events());
        }
        wake();
        return true;
    }

    /** Trains a job; gives whether it could. */
    private boolean train(JobClaim claim) {
        JobFiles files = new JobFiles(store, claim.job());
        if (!files.isFree()) {
            problems.met(IN_USE, PROBLEM);
            store.queue().release(claim);
            return false;
        }
        hold(claim, training::run, List.of());
        if (store.jobs().find(claim.id()).filter(now -> now.status() == JobStatus.CANCELLED).isPresent()) {
            files.deleteRun();
        }
        return true;
    }

    /**
     * Does something with a job that was taken, and gives it back. One that was stopped by a full disk resumes when
     * there is room: that is no fault of it.
     *
     * @param seen what was seen before a failure
     */
    private boolean hold(JobClaim claim, Consumer<RunningJob> work, List<JobEvent> seen) {
        RunningJob mine = new RunningJob(claim);
        running.put(claim.id(), mine);
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
        } finally {
            running.remove(claim.id());
            store.queue().release(claim);
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
    private void renewAll() {
        long seen = 0;
        long tidied = System.nanoTime() - TIDY_NANOS - 1;
        long millis = Math.min(LOOK_MILLIS, store.queue().lease().toMillis() / 4);
        while (!stopping || !running.isEmpty()) {
            for (RunningJob job : running.values()) {
                renew(job);
            }
            attempt(this::lookForRoom);
            if (System.nanoTime() - tidied > TIDY_NANOS) {
                tidied = System.nanoTime();
                attempt(this::deleteExpired);
            }
            seen = await(seen, millis);
            if (stopping) {
                pause(millis);
            }
        }
    }

    private boolean lookForRoom() {
        waiting.look();
        return true;
    }

    private boolean deleteExpired() {
        store.files().deleteExpired(now());
        return true;
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

    /** Stops what trains after its step and saves it, so that it resumes at the next start. */
    @Override
    public void close() {
        closed = true;
        stopping = true;
        running.values().forEach(job -> job.stop(Stop.SERVER));
        wake();
        long begin = System.nanoTime();
        for (Thread thread : threads) {
            try {
                thread.join(Math.max(1, STOP_MILLIS - (System.nanoTime() - begin) / 1_000_000));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
