package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;

/**
 * A model as it was on the way.
 *
 * @param id {@code ftckpt_...}
 * @param job the job
 * @param step the updates before it
 * @param model its name
 * @param createdAt seconds since 1970
 * @param metrics the figures of that step
 */
public record JobCheckpoint(String id, String job, long step, String model, long createdAt, JsonNode metrics) {
    ObjectNode row() {
        ObjectNode row = Json.object().put("id", id).put("job", job).put("step", step).put("model", model)
                .put("created_at", createdAt);
        return row.set("metrics", metrics);
    }

    static JobCheckpoint of(JsonNode row) {
        return new JobCheckpoint(Sql.text(row, "id"), Sql.text(row, "job"), row.get("step").asLong(),
                Sql.text(row, "model"), row.get("created_at").asLong(), Sql.json(row, "metrics"));
    }
}
