package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;

/**
 * A model that a job has left.
 *
 * @param name what clients call it
 * @param base the base model
 * @param owner id of the key of the job
 * @param project whose keys see it
 * @param job the job
 * @param folder where its adapter lies, relative to the data folder
 * @param checkpoint whether it is one of those on the way
 * @param createdAt seconds since 1970
 */
public record StoredModel(String name, String base, String owner, String project, String job, String folder,
        boolean checkpoint, long createdAt) {
    ObjectNode row() {
        return Json.object().put("name", name).put("base", base).put("owner", owner).put("project", project)
                .put("job", job).put("folder", folder).put("checkpoint", checkpoint).put("created_at", createdAt);
    }

    static StoredModel of(JsonNode row) {
        return new StoredModel(Sql.text(row, "name"), Sql.text(row, "base"), Sql.text(row, "owner"),
                Sql.text(row, "project"), Sql.text(row, "job"), Sql.text(row, "folder"),
                row.get("checkpoint").asBoolean(), row.get("created_at").asLong());
    }
}
