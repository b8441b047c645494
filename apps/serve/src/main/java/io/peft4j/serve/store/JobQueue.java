package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.LeaseWatch.Held;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * Jobs as workers take them. A worker that takes a job gives signs of life for it; a job without them for the time of a
 * lease goes to another ({@link LeaseWatch}). A worker writes about a job only while it holds it, by the number of its
 * {@link JobClaim}, so that one that was thought dead changes nothing any more. What a thread of this process holds no
 * other thread of it takes.
 */
public final class JobQueue {
    private static final String MINE = " AND worker = ? AND fence = ? AND " + JobTable.OPEN;
    private static final String WAITS = "status IN ('queued', 'running') AND paused = 0 AND ";
    private static final String GIVEN_BACK = "worker = NULL";

    private final Database database;
    private final Records records;
    private final String worker;
    private final Duration lease;
    private final LeaseWatch watch;
    private final Set<String> held = ConcurrentHashMap.newKeySet();

    /**
     * A queue for a worker.
     *
     * @param worker what no other worker is called, in this process or elsewhere
     */
    JobQueue(Database database, Records records, String worker, Duration lease, LongSupplier nanos) {
        this.database = database;
        this.records = records;
        this.worker = worker;
        this.lease = lease;
        this.watch = new LeaseWatch(lease, nanos);
    }

    /** The time after which another worker may take a job that gave no sign of life. */
    public Duration lease() {
        return lease;
    }

    /** Takes the oldest job whose files are to be validated and that no other worker holds. */
    public Optional<JobClaim> takeToValidate(String base) {
        return take(base, "status = 'validating_files' AND paused = 0", "status");
    }

    /** Takes the oldest job that waits, or whose worker is gone. */
    public Optional<JobClaim> takeToTrain(String base) {
        return take(base, WAITS + JobTable.TUNING, "'running'");
    }

    /** Takes the oldest batch that waits, or whose worker is gone. */
    public Optional<JobClaim> takeBatch(String base) {
        return take(base, WAITS + JobTable.BATCH, "'running'");
    }

    private Optional<JobClaim> take(String base, String condition, String status) {
        AtomicReference<Optional<Held>> tried = new AtomicReference<>(Optional.empty());
        Optional<JobClaim> taken = Optional.empty();
        try {
            taken = database.transaction(sql -> {
                Optional<Held> next = next(sql, base, condition).filter(job -> held.add(job.id()));
                tried.set(next);
                if (next.isEmpty()) {
                    return Optional.empty();
                }
                Held job = next.get();
                return sql.update("UPDATE jobs SET status = " + status + ", worker = ?, wanted = NULL, fence = fence "
                        + "+ 1, beat = 0 WHERE id = ? AND fence = ? AND beat = ? AND " + condition, worker, job.id(),
                        job.fence(), job.beat()) > 0
                                ? JobTable.find(sql, job.id()).map(found -> new JobClaim(found, job.fence() + 1))
                                : Optional.empty();
            });
            return taken;
        } finally {
            // Also where the commit failed: no worker would take it from this process then.
            if (taken.isEmpty()) {
                tried.get().ifPresent(job -> held.remove(job.id()));
            }
        }
    }

    /** The oldest job that is not held, or whose worker is gone. */
    private Optional<Held> next(Sql sql, String base, String condition) throws SQLException {
        Sql.Row<Held> row = found -> new Held(found.getLong("seq"), found.getString("id"), found.getLong("fence"),
                found.getLong("beat"));
        List<Held> others = sql.list("SELECT * FROM jobs WHERE base = ? AND worker IS NOT NULL AND worker <> ? AND "
                + JobTable.OPEN, row, base, worker);
        List<Held> fit = sql.list("SELECT * FROM jobs WHERE base = ? AND worker IS NOT NULL AND " + condition, row,
                base);
        List<Held> over = new ArrayList<>(watch.over(others));
        // What this worker could not give back when it was done.
        fit.stream().filter(job -> !others.contains(job) && !held.contains(job.id())).forEach(over::add);
        over.retainAll(fit);
        sql.list("SELECT * FROM jobs WHERE base = ? AND worker IS NULL AND " + condition + " ORDER BY seq LIMIT 1"
                + database.dialect().skipLocked(), row, base).stream().filter(job -> !held.contains(job.id()))
                .forEach(over::add);
        return over.stream().min(Comparator.comparingLong(Held::seq));
    }

    /** Holds a job for longer; gives it as it is now, or nothing where it is not this worker's any more. */
    public Optional<Job> renew(JobClaim claim) {
        return database.transaction(sql -> sql.update("UPDATE jobs SET beat = beat + 1 WHERE id = ?" + MINE,
                claim.id(), worker, claim.fence()) == 0 ? Optional.empty() : JobTable.find(sql, claim.id()));
    }

    /** Gives a job back as it is, for anybody to take. Does nothing for one that was given back. */
    public void release(JobClaim claim) {
        try {
            database.transaction(sql -> sql.update("UPDATE jobs SET " + GIVEN_BACK + " WHERE id = ? AND worker = ? AND "
                    + "fence = ?", claim.id(), worker, claim.fence()));
        } finally {
            held.remove(claim.id());
        }
    }

    /** Everything that a process left which held the folder of this server before; it is gone. */
    void releaseAll() {
        database.transaction(sql -> sql.update("UPDATE jobs SET " + GIVEN_BACK + " WHERE worker IS NOT NULL"));
    }

    /** The files are in order: the job waits for its turn, with what it will train with. */
    public boolean validated(JobClaim claim, ObjectNode hyperparameters, List<JobEvent> events, long now) {
        return database.transaction(sql -> {
            int changed = sql.update("UPDATE jobs SET status = 'queued', hyperparameters = ?, " + GIVEN_BACK
                    + " WHERE id = ?" + MINE, Json.text(hyperparameters), claim.id(), worker, claim.fence());
            return changed > 0 && insert(sql, claim.id(), events, now);
        });
    }

    /** Keeps how far a batch is; gives whether this worker holds it. */
    public boolean note(JobClaim claim, ObjectNode progress) {
        return database.transaction(sql -> sql.update("UPDATE jobs SET hyperparameters = ? WHERE id = ?" + MINE,
                Json.text(progress), claim.id(), worker, claim.fence()) > 0);
    }

    /** Keeps events of a job that this worker holds, those that are not kept yet; gives whether it holds it. */
    public boolean tell(JobClaim claim, List<JobEvent> events, long now) {
        return database.transaction(sql -> isMine(sql, claim) && insert(sql, claim.id(), events, now));
    }

    /** As {@link #tell}, with when the job will be done. */
    public boolean progress(JobClaim claim, JobEvent event, long estimatedFinish, long now) {
        return database.transaction(sql -> sql.update("UPDATE jobs SET estimated_finish = CASE paused WHEN 0 THEN ? "
                + "ELSE NULL END WHERE id = ?" + MINE, estimatedFinish, claim.id(), worker, claim.fence()) > 0
                && insert(sql, claim.id(), List.of(event), now));
    }

    /** Also keeps others from taking the job before the transaction ends. */
    private boolean isMine(Sql sql, JobClaim claim) throws SQLException {
        return sql.update("UPDATE jobs SET beat = beat + 1 WHERE id = ?" + MINE, claim.id(), worker, claim.fence()) > 0;
    }

    private static boolean insert(Sql sql, String id, List<JobEvent> events, long now) throws SQLException {
        for (JobEvent event : events) {
            EventTable.insert(sql, id, event, now);
        }
        return true;
    }

    /** Keeps a checkpoint with its model, unless there is one of that step; gives whether the job is still held. */
    public boolean addCheckpoint(JobClaim claim, JobCheckpoint checkpoint, StoredModel model, JobEvent event) {
        return database.transaction(sql -> {
            if (!isMine(sql, claim)) {
                return false;
            }
            if (insert(sql, checkpoint) > 0) {
                records.put(new Records.ModelOnTheWay(checkpoint, model));
                ModelTable.insert(sql, model);
            }
            return insert(sql, checkpoint.job(), List.of(event), checkpoint.createdAt());
        });
    }

    static int insert(Sql sql, JobCheckpoint checkpoint) throws SQLException {
        return sql.insert("checkpoints", checkpoint.row(), " ON CONFLICT (job, step) DO NOTHING");
    }

    /** Ends a job well: everything that it leaves is there at once. Gives whether the job was still held. */
    public boolean succeed(JobClaim claim, Outcome outcome, long now) {
        return recorded(claim, database.transaction(sql -> {
            if (sql.update("UPDATE jobs SET status = 'succeeded', fine_tuned_model = ?, trained_tokens = ?, "
                    + "result_files = ?, finished_at = ?, estimated_finish = NULL, paused = 0, " + GIVEN_BACK
                    + " WHERE id = ?" + MINE, outcome.model().map(StoredModel::name), outcome.trainedTokens(),
                    Json.text(JobTable.ids(outcome.files())), now, claim.id(), worker, claim.fence()) == 0) {
                return false;
            }
            for (StoredFile file : outcome.files()) {
                FileTable.insert(sql, file);
            }
            if (outcome.model().isPresent()) {
                ModelTable.insert(sql, outcome.model().get());
            }
            return insert(sql, claim.id(), outcome.events(), now);
        }));
    }

    /** Ends a job that cannot be done; gives whether it was still held. */
    public boolean fail(JobClaim claim, String code, String message, Optional<String> param, List<JobEvent> events,
            long now) {
        ObjectNode error = Json.object().put("code", code).put("message", message).put("param", param.orElse(null));
        return recorded(claim, database.transaction(sql -> sql.update("UPDATE jobs SET status = 'failed', error = ?, "
                + "finished_at = ?, estimated_finish = NULL, paused = 0, " + GIVEN_BACK + " WHERE id = ?" + MINE,
                Json.text(error), now, claim.id(), worker, claim.fence()) > 0
                && insert(sql, claim.id(), events, now)));
    }

    private boolean recorded(JobClaim claim, boolean changed) {
        if (changed) {
            database.transaction(sql -> JobTable.find(sql, claim.id())).ifPresent(records::update);
        }
        return changed;
    }

    /**
     * What a job that went well leaves.
     *
     * @param model its model; a batch has none
     * @param trainedTokens tokens that it learned from
     * @param files files whose content lies where it belongs
     * @param events the last news
     */
    public record Outcome(Optional<StoredModel> model, long trainedTokens, List<StoredFile> files,
            List<JobEvent> events) {
    }
}
