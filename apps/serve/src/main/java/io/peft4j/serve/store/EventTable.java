package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import java.sql.SQLException;
import java.util.function.Function;

/** What happened to jobs, and the models that they left on the way. */
public final class EventTable {
    private final Database database;

    EventTable(Database database) {
        this.database = database;
    }

    /** Keeps an event, unless there is one of that topic. */
    static int insert(Sql sql, String job, JobEvent event, long now) throws SQLException {
        return sql.insert("events", event.row(Ids.next("ftevent-"), job, now), " ON CONFLICT (job, topic) DO NOTHING");
    }

    /** Keeps an event that is not about what a worker does with a job, but about what keeps it from that. */
    public void add(String job, JobEvent event, long now) {
        database.transaction(sql -> insert(sql, job, event, now));
    }

    /** A part of a job's events. */
    public ListPage<JobEvent.Kept> list(String job, ListPage.Request page) {
        return part("events", job, page, JobEvent.Kept::of);
    }

    /** A part of a job's checkpoints. */
    public ListPage<JobCheckpoint> checkpoints(String job, ListPage.Request page) {
        return part("checkpoints", job, page, JobCheckpoint::of);
    }

    private <T> ListPage<T> part(String table, String job, ListPage.Request page, Function<JsonNode, T> row) {
        return database.transaction(sql -> ListPage.of(sql.list("SELECT * FROM " + table + " WHERE job = ?"
                + page.tail(page.seq(sql, table, "job = ?", job)) + " LIMIT ?", Sql.of(row), job, page.limit() + 1),
                page.limit()));
    }
}
