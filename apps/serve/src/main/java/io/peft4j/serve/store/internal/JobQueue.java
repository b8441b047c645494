package io.peft4j.serve.store.internal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.internal.Json;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Jobs as workers take them. A worker that takes a job holds a lease on it, which it renews while it lives; a job whose
 * lease is over can be taken by any other. A worker writes about a job only while it holds the lease, so that one that
 * was thought dead changes nothing any more.
 */
public final class JobQueue {
    private static final String MINE = " AND worker = ? AND " + JobTable.OPEN;

    private final Database database;
    private final String worker;
    private final double leaseSeconds;

    JobQueue(Database database, String worker, Duration lease) {
        this.database = database;
        this.worker = worker;
        this.leaseSeconds = lease.toMillis() / 1e3;
    }

    /** Seconds after which another worker may take a job whose lease was not renewed. */
    public double leaseSeconds() {
        return leaseSeconds;
    }

    /** Takes the oldest job whose files are to be validated and that no other worker holds. */
    public Optional<Job> takeToValidate(String base) {
        return take(base, "status = 'validating_files'", "status");
    }

    /** Takes the oldest job that waits, or whose worker is gone. */
    public Optional<Job> takeToTrain(String base) {
        return take(base, "status IN ('queued', 'running') AND paused = 0", "'running'");
    }

    private Optional<Job> take(String base, String condition, String status) {
        return database.transaction(sql -> {
            Optional<String> id = sql.first("SELECT id FROM jobs WHERE base = ? AND " + condition
                    + " AND lease_until < " + now() + " ORDER BY seq LIMIT 1" + database.dialect().skipLocked(),
                    row -> row.getString(1), base);
            if (id.isEmpty()) {
                return Optional.empty();
            }
            sql.update("UPDATE jobs SET status = " + status + ", worker = ?, wanted = NULL, lease_until = " + now()
                    + " + ? WHERE id = ?", worker, leaseSeconds, id.get());
            return JobTable.find(sql, id.get());
        });
    }

    private String now() {
        return database.dialect().now();
    }

    /** Holds a job for longer; gives it as it is now, or nothing where it is not this worker's any more. */
    public Optional<Job> renew(String id) {
        return database.transaction(sql -> sql.update("UPDATE jobs SET lease_until = " + now() + " + ? WHERE id = ?"
                + MINE, leaseSeconds, id, worker) == 0 ? Optional.empty() : JobTable.find(sql, id));
    }

    /** Gives a job back as it is, for anybody to take. */
    public void release(String id) {
        database.transaction(sql -> sql.update("UPDATE jobs SET worker = NULL, lease_until = 0 WHERE id = ? AND "
                + "worker = ?", id, worker));
    }

    /** Everything that a process left which held the folder of this server before; it is gone. */
    void releaseAll() {
        database.transaction(sql -> sql.update("UPDATE jobs SET worker = NULL, lease_until = 0 WHERE worker IS NOT "
                + "NULL"));
    }

    /** The files are in order: the job waits for its turn, with what it will train with. */
    public boolean validated(String id, ObjectNode hyperparameters, List<JobEvent> events, long now) {
        return database.transaction(sql -> {
            int changed = sql.update("UPDATE jobs SET status = 'queued', hyperparameters = ?, worker = NULL, "
                    + "lease_until = 0 WHERE id = ?" + MINE, Json.text(hyperparameters), id, worker);
            return changed > 0 && insert(sql, id, events, now);
        });
    }

    /** Keeps an event of a job that this worker holds; gives whether it does. */
    public boolean tell(String id, JobEvent event, long now) {
        return database.transaction(sql -> isMine(sql, id) && insert(sql, id, List.of(event), now));
    }

    /** As {@link #tell}, with when the job will be done. */
    public boolean progress(String id, JobEvent event, long estimatedFinish, long now) {
        return database.transaction(sql -> sql.update("UPDATE jobs SET estimated_finish = CASE paused WHEN 0 THEN ? "
                + "ELSE NULL END WHERE id = ?" + MINE, estimatedFinish, id, worker) > 0
                && insert(sql, id, List.of(event), now));
    }

    private boolean isMine(Sql sql, String id) throws SQLException {
        return sql.first("SELECT id FROM jobs WHERE id = ?" + MINE, row -> row.getString(1), id, worker).isPresent();
    }

    private static boolean insert(Sql sql, String id, List<JobEvent> events, long now) throws SQLException {
        for (JobEvent event : events) {
            EventTable.insert(sql, id, event, now);
        }
        return true;
    }

    /** Keeps a checkpoint with its model, unless there is one of that step; gives whether the job is still held. */
    public boolean addCheckpoint(JobCheckpoint checkpoint, StoredModel model, JobEvent event) {
        return database.transaction(sql -> {
            if (!isMine(sql, checkpoint.job())) {
                return false;
            }
            sql.update("INSERT INTO checkpoints (id, job, step, model, created_at, metrics) VALUES (?, ?, ?, ?, ?, ?) "
                    + "ON CONFLICT (job, step) DO NOTHING", checkpoint.id(), checkpoint.job(), checkpoint.step(),
                    checkpoint.model(), checkpoint.createdAt(), Json.text(checkpoint.metrics()));
            ModelTable.insert(sql, model);
            return insert(sql, checkpoint.job(), List.of(event), checkpoint.createdAt());
        });
    }

    /** Ends a job well: all that it leaves is there at once. Gives whether the job was still held. */
    public boolean succeed(String id, Outcome outcome, long now) {
        return database.transaction(sql -> {
            if (sql.update("UPDATE jobs SET status = 'succeeded', fine_tuned_model = ?, trained_tokens = ?, "
                    + "result_files = ?, finished_at = ?, estimated_finish = NULL, paused = 0, worker = NULL, "
                    + "lease_until = 0 WHERE id = ?" + MINE, outcome.model().name(), outcome.trainedTokens(),
                    Json.text(outcome.resultFiles()), now, id, worker) == 0) {
                return false;
            }
            for (StoredFile file : outcome.files()) {
                FileTable.insert(sql, file);
            }
            ModelTable.insert(sql, outcome.model());
            return insert(sql, id, outcome.events(), now);
        });
    }

    /** Ends a job that cannot be done; gives whether it was still held. */
    public boolean fail(String id, String code, String message, Optional<String> param, List<JobEvent> events,
            long now) {
        ObjectNode error = Json.object().put("code", code).put("message", message).put("param", param.orElse(null));
        return database.transaction(sql -> sql.update("UPDATE jobs SET status = 'failed', error = ?, finished_at = ?, "
                + "estimated_finish = NULL, paused = 0, worker = NULL, lease_until = 0 WHERE id = ?" + MINE,
                Json.text(error), now, id, worker) > 0 && insert(sql, id, events, now));
    }

    /**
     * What a job that went well leaves.
     *
     * @param model its model
     * @param trainedTokens tokens that it learned from
     * @param files files whose content lies where it belongs
     * @param events the last news
     */
    public record Outcome(StoredModel model, long trainedTokens, List<StoredFile> files, List<JobEvent> events) {
        private ArrayNode resultFiles() {
            ArrayNode ids = Json.array();
            files.forEach(file -> ids.add(file.id()));
            return ids;
        }
    }
}
