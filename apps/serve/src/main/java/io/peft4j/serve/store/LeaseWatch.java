package io.peft4j.serve.store;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Finds out which workers are gone: those whose jobs had no sign of life for the time of a lease, by the time that this
 * process has seen pass itself. Clocks of other machines, or of the database, are not asked; a pause of this process
 * ends no lease, since a worker that lives has given signs meanwhile.
 */
final class LeaseWatch {
    private final long leaseNanos;
    private final LongSupplier nanos;
    private final Map<String, Seen> seen = new HashMap<>();

    LeaseWatch(Duration lease, LongSupplier nanos) {
        this.leaseNanos = lease.toNanos();
        this.nanos = nanos;
    }

    /**
     * A job that a worker holds.
     *
     * @param seq its number in the queue
     * @param id the job
     * @param fence the number of the hold
     * @param beat the last sign of life
     */
    record Held(long seq, String id, long fence, long beat) {
    }

    private record Seen(Held held, long since) {
    }

    /** Of all jobs that others hold, as they are now, those whose workers are gone. */
    synchronized List<Held> over(List<Held> all) {
        long now = nanos.getAsLong();
        seen.keySet().retainAll(all.stream().map(Held::id).toList());
        List<Held> over = new ArrayList<>();
        for (Held held : all) {
            Seen before = seen.get(held.id());
            if (before == null || !before.held().equals(held)) {
                seen.put(held.id(), new Seen(held, now));
            } else if (now - before.since() >= leaseNanos) {
                over.add(held);
            }
        }
        return over;
    }
}
