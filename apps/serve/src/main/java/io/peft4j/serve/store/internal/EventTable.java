package io.peft4j.serve.store.internal;

import io.peft4j.serve.http.internal.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/** What happened to jobs, and the models that they left on the way. */
public final class EventTable {
    private final Database database;

    EventTable(Database database) {
        this.database = database;
    }

    /** Keeps an event, unless there is one of that topic. */
    static int insert(Sql sql, String job, JobEvent event, long now) throws SQLException {
        return sql.update("INSERT INTO events (id, job, topic, created_at, level, type, message, data) VALUES "
                + "(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, topic) DO NOTHING", Ids.next("ftevent-"), job,
                event.topic(), now, event.level(), event.type(), event.message(), Json.text(event.data()));
    }

    /** Keeps an event that is not about what a worker does with a job, but about what keeps it from that. */
    public void add(String job, JobEvent event, long now) {
        database.transaction(sql -> insert(sql, job, event, now));
    }

    /** A part of a job's events. Empty where the entry before it does not exist. */
    public Optional<ListPage<JobEvent.Kept>> list(String job, ListPage.Request page) {
        return database.transaction(sql -> part(sql, "events", job, page, EventTable::event));
    }

    /** A part of a job's checkpoints. Empty where the entry before it does not exist. */
    public Optional<ListPage<JobCheckpoint>> checkpoints(String job, ListPage.Request page) {
        return database.transaction(sql -> part(sql, "checkpoints", job, page, EventTable::checkpoint));
    }

    private static <T> Optional<ListPage<T>> part(Sql sql, String table, String job, ListPage.Request page,
            Sql.Row<T> row)
            throws SQLException {
        Optional<Long> after = Optional.empty();
        if (page.after().isPresent()) {
            after = sql.first("SELECT seq FROM " + table + " WHERE job = ? AND id = ?", found -> found.getLong(1), job,
                    page.after().get());
            if (after.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(ListPage.of(sql.list("SELECT * FROM " + table + " WHERE job = ?"
                + page.tail(after) + " LIMIT ?", row, job, page.limit() + 1), page.limit()));
    }

    private static JobEvent.Kept event(ResultSet row) throws SQLException {
        return new JobEvent.Kept(row.getString("id"), row.getLong("created_at"), new JobEvent(row.getString("topic"),
                row.getString("level"), row.getString("type"), row.getString("message"),
                Json.stored(row.getString("data"))));
    }

    static JobCheckpoint checkpoint(ResultSet row) throws SQLException {
        return new JobCheckpoint(row.getString("id"), row.getString("job"), row.getLong("step"),
                row.getString("model"), row.getLong("created_at"), Json.stored(row.getString("metrics")));
    }
}
