package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import java.util.Optional;

/**
 * A file that was uploaded, or that a job has left.
 *
 * @param id {@code file-...}
 * @param owner id of the key that it was uploaded with
 * @param project whose keys see it
 * @param filename what the client called it; only ever shown
 * @param purpose what it is for
 * @param bytes its size
 * @param createdAt seconds since 1970
 * @param expiresAt when it is deleted automatically
 * @param status {@code processed} or {@code error}
 * @param statusDetails what is wrong with it
 */
public record StoredFile(String id, String owner, String project, String filename, String purpose, long bytes,
        long createdAt,
        Optional<Long> expiresAt, String status, Optional<String> statusDetails) {
    ObjectNode row() {
        return Json.object().put("id", id).put("owner", owner).put("project", project).put("filename", filename)
                .put("purpose", purpose).put("bytes", bytes).put("created_at", createdAt)
                .put("expires_at", expiresAt.orElse(null)).put("status", status)
                .put("status_details", statusDetails.orElse(null));
    }

    static StoredFile of(JsonNode row) {
        return new StoredFile(Sql.text(row, "id"), Sql.text(row, "owner"), Sql.text(row, "project"),
                Sql.text(row, "filename"), Sql.text(row, "purpose"), row.get("bytes").asLong(),
                row.get("created_at").asLong(), Sql.number(row, "expires_at"), Sql.text(row, "status"),
                Optional.ofNullable(Sql.text(row, "status_details")));
    }
}
