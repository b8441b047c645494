package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Jobs as clients see and change them. The side of the workers is {@link JobQueue}. */
public final class JobTable {
    static final String OPEN = "status IN ('validating_files', 'queued', 'running')";
    /** Beside batches, which are rows of the same table. */
    static final String TUNING = "id NOT LIKE '" + Job.BATCH + "%'";
    static final String BATCH = "id LIKE '" + Job.BATCH + "%'";
    private static final int SCAN = 200;

    private final Database database;
    private final Records records;

    JobTable(Database database, Records records) {
        this.database = database;
        this.records = records;
    }

    /** Takes a job with its first events; when this has returned, it is kept. */
    public void add(Job job, List<JobEvent> events) {
        records.put(job);
        database.transaction(sql -> insert(sql, job, events));
    }

    /** As {@link #add}, unless the key of the job has made so many since then; gives whether it was taken. */
    public boolean add(Job job, List<JobEvent> events, long most, long since) {
        records.put(job);
        boolean taken = database.transaction(sql -> {
            KeyTable.lock(sql, database.dialect(), job.owner());
            long made = sql.first("SELECT count(*) FROM jobs WHERE owner = ? AND created_at >= ? AND " + TUNING,
                    row -> row.getLong(1), job.owner(), since).orElse(0L);
            return made < most && insert(sql, job, events) > 0;
        });
        if (!taken) {
            records.remove(job.id());
        }
        return taken;
    }

    static int insert(Sql sql, Job job, List<JobEvent> events) throws SQLException {
        int inserted = sql.insert("jobs", job.row(), "");
        for (JobEvent event : events) {
            EventTable.insert(sql, job.id(), event, job.createdAt());
        }
        return inserted;
    }

    /** The job of an id. */
    public Optional<Job> find(String id) {
        return database.transaction(sql -> find(sql, id));
    }

    static Optional<Job> find(Sql sql, String id) throws SQLException {
        return sql.first("SELECT * FROM jobs WHERE id = ?", Sql.of(Job::of), id);
    }

    /**
     * A part of the list.
     *
     * @param batches whether of batches
     * @param project whose; empty for those of all
     * @param metadata what jobs must have
     * @param none whether they must have none
     */
    public ListPage<Job> list(boolean batches, Optional<String> project, Map<String, String> metadata, boolean none,
            ListPage.Request page) {
        String which = Sql.OF_PROJECT + " AND " + (batches ? BATCH : TUNING);
        return database.transaction(sql -> {
            List<Job> found = new ArrayList<>();
            long before = page.seq(sql, "jobs", which, project, project).orElse(Long.MAX_VALUE);
            boolean more = true;
            while (more && found.size() <= page.limit()) {
                List<Numbered> rows = sql.list("SELECT * FROM jobs WHERE seq < ? AND " + which
                        + " ORDER BY seq DESC LIMIT ?",
                        Sql.of(row -> new Numbered(row.get("seq").asLong(), Job.of(row))),
                        before, project, project, Math.max(SCAN, page.limit() + 1));
                rows.stream().map(Numbered::job).filter(job -> has(job, metadata, none)).forEach(found::add);
                more = !rows.isEmpty();
                before = more ? rows.get(rows.size() - 1).seq() : before;
            }
            return ListPage.of(found, page.limit());
        });
    }

    private record Numbered(long seq, Job job) {
    }

    private static boolean has(Job job, Map<String, String> wanted, boolean none) {
        JsonNode metadata = job.request().path("metadata");
        return (!none || metadata.isEmpty())
                && wanted.entrySet().stream().allMatch(pair -> metadata.path(pair.getKey()).isTextual()
                        && metadata.path(pair.getKey()).asText().equals(pair.getValue()));
    }

    /** Ends a job that has not ended; gives whether it did. */
    public boolean cancel(String id, long now) {
        boolean cancelled = change(id, now,
                "status = 'cancelled', paused = 0, wanted = 'cancel', estimated_finish = NULL, "
                        + "finished_at = " + now,
                OPEN, "the job was cancelled", "cancelled");
        if (cancelled) {
            find(id).ifPresent(records::update);
        }
        return cancelled;
    }

    /** Keeps what a cancelled batch had answered, and how much that was. */
    public void leave(String id, ObjectNode progress, List<StoredFile> files) {
        database.transaction(sql -> {
            for (StoredFile file : files) {
                FileTable.insert(sql, file);
            }
            return sql.update("UPDATE jobs SET hyperparameters = ?, result_files = ? WHERE id = ?",
                    Json.text(progress), Json.text(ids(files)), id);
        });
        find(id).ifPresent(records::update);
    }

    static ArrayNode ids(List<StoredFile> files) {
        ArrayNode ids = Json.array();
        files.forEach(file -> ids.add(file.id()));
        return ids;
    }

    /** Lets a job wait until it is resumed; gives whether it does so now. */
    public boolean pause(String id, long now) {
        return change(id, now, "paused = 1, wanted = 'pause', estimated_finish = NULL, status = CASE status WHEN "
                + "'running' THEN 'queued' ELSE status END", OPEN + " AND paused = 0", "the job was paused", "paused");
    }

    /** Lets a paused job go on; gives whether it was paused. */
    public boolean resume(String id, long now) {
        return change(id, now, "paused = 0, wanted = NULL", OPEN + " AND paused = 1", "the job was resumed",
                "resumed");
    }

    private boolean change(String id, long now, String assignments, String condition, String message, String word) {
        return database.transaction(sql -> {
            if (sql.update("UPDATE jobs SET " + assignments + " WHERE id = ? AND " + condition, id) == 0) {
                return false;
            }
            // Any number of times, each an event of its own.
            EventTable.insert(sql, id, JobEvent.info(word + "-" + Ids.letters(8), message), now);
            return true;
        });
    }

    /** How many jobs there are in each status. */
    public Map<String, Long> counts() {
        return database.transaction(sql -> sql.list("SELECT status, count(*) AS jobs FROM jobs WHERE " + TUNING
                + " GROUP BY status",
                row -> Map.entry(row.getString("status"), row.getLong("jobs")))).stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
