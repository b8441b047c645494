package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;

/**
 * Something that happened to a job.
 *
 * @param topic what it is about: of one job each is kept once
 * @param level {@code info}, {@code warn} or {@code error}
 * @param type {@code message} or {@code metrics}
 * @param message for people
 * @param data for programs
 */
public record JobEvent(String topic, String level, String type, String message, JsonNode data) {
    /** News. */
    public static JobEvent info(String topic, String message) {
        return new JobEvent(topic, "info", "message", message, Json.object());
    }

    /** Something to look at. */
    public static JobEvent warn(String topic, String message) {
        return new JobEvent(topic, "warn", "message", message, Json.object());
    }

    /** What ended the job. */
    public static JobEvent error(String topic, String message) {
        return new JobEvent(topic, "error", "message", message, Json.object());
    }

    /** The figures of a step. */
    public static JobEvent metrics(String topic, String message, ObjectNode figures) {
        return new JobEvent(topic, "info", "metrics", message, figures);
    }

    /**
     * One that is kept.
     *
     * @param id {@code ftevent-...}
     * @param createdAt seconds since 1970
     * @param event what happened
     */
    public record Kept(String id, long createdAt, JobEvent event) {
        static Kept of(JsonNode row) {
            return new Kept(Sql.text(row, "id"), row.get("created_at").asLong(), new JobEvent(Sql.text(row, "topic"),
                    Sql.text(row, "level"), Sql.text(row, "type"), Sql.text(row, "message"), Sql.json(row, "data")));
        }
    }

    ObjectNode row(String id, String job, long now) {
        ObjectNode row = Json.object().put("id", id).put("job", job).put("topic", topic).put("created_at", now)
                .put("level", level).put("type", type).put("message", message);
        return row.set("data", data);
    }
}
