package io.peft4j.serve.job.internal;

import io.peft4j.core.error.PeftException;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.serve.job.internal.RunningJob.Stop;
import io.peft4j.serve.model.internal.ServedModels;
import io.peft4j.serve.store.internal.Job;
import io.peft4j.serve.store.internal.JobEvent;
import io.peft4j.serve.store.internal.JobQueue;
import io.peft4j.serve.store.internal.JobStatus;
import io.peft4j.serve.store.internal.Store;
import io.peft4j.serve.store.internal.StoreException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does jobs: one thread looks at the data of new ones, others train, each one job at a time, and one keeps telling the
 * database that this server lives. A job that was held by a server which does not say so any more is taken over.
 */
public final class JobWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JobWorker.class);
    /** How often the queue is checked for jobs of other servers or of an earlier process. */
    private static final long LOOK_MILLIS = 500;
    private static final long BACK_OFF_MILLIS = 2000;
    private static final long STOP_MILLIS = 60_000;
    private static final long TIDY_NANOS = 60_000_000_000L;

    private final Store store;
    private final ServedModels models;
    private final JobTraining training;
    private final Clock clock;
    private final int atOnce;
    private final Map<String, RunningJob> running = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Object news = new Object();
    private long wakes;
    private volatile boolean stopping;

    /**
     * A worker that does nothing yet.
     *
     * @param atOnce how many jobs train at a time
     */
    public JobWorker(Store store, ServedModels models, VerdictOptions verdict, String organization, int atOnce,
            Clock clock) {
        this.store = store;
        this.models = models;
        this.training = new JobTraining(store, models, verdict, organization, clock);
        this.atOnce = atOnce;
        this.clock = clock;
    }

    /** Begins. */
    public void start() {
        begin("peft4j-job-check", this::checkAll);
        begin("peft4j-job-leases", this::renewAll);
        for (int i = 1; i <= atOnce; i++) {
            begin("peft4j-job-" + i, this::trainAll);
        }
    }

    private void begin(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
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

    private void checkAll() {
        long seen = 0;
        while (!stopping) {
            if (!attempt(() -> store.queue().takeToValidate(models.baseName()).map(job -> {
                check(job);
                wake();
                return true;
            }).orElse(false))) {
                seen = await(seen, LOOK_MILLIS);
            }
        }
    }

    private void trainAll() {
        long seen = 0;
        while (!stopping) {
            if (!attempt(() -> store.queue().takeToTrain(models.baseName()).map(this::train).orElse(false))) {
                seen = await(seen, LOOK_MILLIS);
            }
        }
    }

    /** Trouble with the database ends no thread: it may be there again soon. */
    private boolean attempt(BooleanSupplier work) {
        try {
            return work.getAsBoolean();
        } catch (StoreException e) {
            LOG.warn("job queue unavailable: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("job queue failed", e);
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

    private void check(Job job) {
        JobQueue queue = store.queue();
        JobFiles files = new JobFiles(store, job);
        JobCheck check = new JobCheck(models.base(), job, files);
        RunningJob held = new RunningJob(job);
        running.put(job.id(), held);
        try {
            queue.validated(job.id(), check.run(), check.events(), now());
        } catch (StoreException e) {
            throw e;
        } catch (PeftException e) {
            fail(job, check.events(), e);
        } catch (RuntimeException | OutOfMemoryError e) {
            internal(job, check.events(), e);
        } finally {
            running.remove(job.id());
        }
    }

    /** Trains a job; gives whether it could. */
    private boolean train(Job job) {
        JobFiles files = new JobFiles(store, job);
        if (!files.isFree()) {
            store.queue().release(job.id());
            return false;
        }
        RunningJob mine = new RunningJob(job);
        running.put(job.id(), mine);
        try {
            training.run(mine);
        } catch (StoreException e) {
            throw e;
        } catch (PeftException e) {
            if (mine.stopped().isEmpty()) {
                fail(job, List.of(), e);
            } else {
                LOG.info("job {} stopped: {}", job.id(), e.getMessage());
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            internal(job, List.of(), e);
        } finally {
            running.remove(job.id());
            store.queue().release(job.id());
        }
        if (store.jobs().find(job.id()).filter(now -> now.status() == JobStatus.CANCELLED).isPresent()) {
            files.deleteRun();
        }
        return true;
    }

    private void fail(Job job, List<JobEvent> seen, PeftException why) {
        String message = new JobFiles(store, job).withoutPlaces(why.getMessage());
        String code = why instanceof JobFault fault ? fault.code() : "training_failed";
        Optional<String> param = why instanceof JobFault fault ? fault.param() : Optional.empty();
        fail(job, seen, code, message, param);
    }

    private void internal(Job job, List<JobEvent> seen, Throwable why) {
        LOG.error("job {} failed", job.id(), why);
        fail(job, seen, "server_error", why instanceof OutOfMemoryError ? "the server has too little memory for this "
                + "job; use a smaller batch or shorter examples" : "internal error; see the server log", Optional
                        .empty());
    }

    private void fail(Job job, List<JobEvent> seen, String code, String message, Optional<String> param) {
        List<JobEvent> events = new ArrayList<>(seen);
        events.add(JobEvent.error("failed", "The job failed: " + message));
        store.queue().fail(job.id(), code, message, param, events, now());
    }

    /** Renews the leases of what is done here, and stops what is not to go on. */
    private void renewAll() {
        long seen = 0;
        long tidied = System.nanoTime() - TIDY_NANOS - 1;
        long millis = (long) Math.min(LOOK_MILLIS, store.queue().leaseSeconds() * 1000 / 4);
        while (!stopping || !running.isEmpty()) {
            for (RunningJob job : running.values()) {
                renew(job);
            }
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

    private boolean deleteExpired() {
        store.files().deleteExpired(now());
        return true;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void renew(RunningJob mine) {
        try {
            Optional<Job> now = store.queue().renew(mine.job().id());
            if (now.isEmpty()) {
                mine.stop(Stop.LOST);
            } else if (now.get().paused()) {
                mine.stop(Stop.PAUSED);
            }
        } catch (StoreException e) {
            // Whoever has taken the job meanwhile keeps it: nothing of ours is written then.
            LOG.warn("cannot renew the lease of job {}: {}", mine.job().id(), e.getMessage());
        }
    }

    /** Stops what trains after its step and saves it, so that it goes on at the next start. */
    @Override
    public void close() {
        stopping = true;
        running.values().forEach(job -> job.stop(Stop.SERVER));
        wake();
        long end = System.currentTimeMillis() + STOP_MILLIS;
        for (Thread thread : threads) {
            try {
                thread.join(Math.max(1, end - System.currentTimeMillis()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
