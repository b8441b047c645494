package io.peft4j.serve.job;

import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.Store;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Jobs that wait for room on the disk. Each gets an event of that once, and once that it resumes; where the database
 * has no room for that either, as soon as it has. For use by several threads.
 */
final class WaitingJobs {
    private final Store store;
    private final LongSupplier now;
    private final Map<String, JobEvent> waiting = new HashMap<>();

    WaitingJobs(Store store, LongSupplier now) {
        this.store = store;
        this.now = now;
    }

    /** A job was stopped by a disk that is full. */
    synchronized void add(String job) {
        JobEvent event = JobEvent.warn("disk-full-" + Ids.letters(8),
                "The disk of the server is full; the job waits until there is room, and resumes from its last "
                        + "checkpoint");
        if (waiting.putIfAbsent(job, event) == null) {
            tell(job, event);
        }
    }

    /** Looks whether there is room again. */
    synchronized void look() {
        if (store.disk().look() || waiting.isEmpty()) {
            return;
        }
        waiting.entrySet().removeIf(one -> tell(one.getKey(), one.getValue()) && tell(one.getKey(), JobEvent.info(
                one.getValue().topic().replace("full", "free"), "The disk of the server has room again")));
    }

    /** Keeps an event, once; gives whether it is kept. */
    private boolean tell(String job, JobEvent event) {
        try {
            store.events().add(job, event, now.getAsLong());
            return true;
        } catch (RuntimeException e) {
            if (!store.disk().note(e)) {
                throw e;
            }
            return false;
        }
    }
}
