package io.peft4j.serve.job;

import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobClaim;
import io.peft4j.serve.store.JobQueue;
import io.peft4j.train.Cancellation;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;

/** A job that trains here now, and what stops it. */
final class RunningJob {
    /** Why a training stops before its end. */
    enum Stop {
        /** The server stops; the job resumes at the next start. */
        SERVER,
        /** It was paused. */
        PAUSED,
        /** It was cancelled, or went to another worker. */
        LOST
    }

    private final JobClaim claim;
    private final Cancellation cancellation = new Cancellation(this::isToStop);
    private final AtomicReference<Stop> stop = new AtomicReference<>();

    RunningJob(JobClaim claim) {
        this.claim = claim;
    }

    JobClaim claim() {
        return claim;
    }

    Job job() {
        return claim.job();
    }

    Cancellation cancellation() {
        return cancellation;
    }

    /** Stops it; what was lost meanwhile is not saved any more, whatever it was to stop for before. */
    void stop(Stop why) {
        stop.updateAndGet(before -> before == null || why == Stop.LOST ? why : before);
    }

    /** A training that is cancelled saves its adapter; the folder of a job that was lost is another worker's. */
    private boolean isToStop() {
        if (stop.get() == Stop.LOST) {
            throw new CancellationException("the job was cancelled, or another worker has it");
        }
        return stop.get() != null;
    }

    /**
     * Checks that the job is still this worker's.
     *
     * @throws CancellationException when it is not
     */
    void requireHeld(JobQueue queue) {
        if (queue.renew(claim).isEmpty()) {
            stop(Stop.LOST);
        }
        isToStop();
    }

    /**
     * Between two pieces of work.
     *
     * @throws CancellationException when it was stopped
     */
    void requireWanted() {
        if (stop.get() != null) {
            throw new CancellationException("the job was stopped");
        }
    }

    Optional<Stop> stopped() {
        return Optional.ofNullable(stop.get());
    }
}
