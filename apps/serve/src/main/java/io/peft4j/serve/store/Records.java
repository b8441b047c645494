package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.serve.http.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the database says of files, jobs, checkpoints and keys, once more as a small file of JSON each, so that a
 * database that is lost can be built again ({@link Rebuild}). Written before a row, and for a job again when it has
 * ended; of keys the hash, as in the database.
 */
final class Records {
    private static final Logger LOG = LoggerFactory.getLogger(Records.class);
    private static final String ENDING = ".json";

    private final Path folder;

    Records(Path folder) {
        this.folder = folder;
    }

    record HashedKey(ApiKey key, String hash) {
        ObjectNode row() {
            return Json.object().put("id", key.id()).put("name", key.name()).put("hint", key.hint())
                    .put("hash", hash).put("project", key.project().orElse(null)).put("created_at", key.createdAt())
                    .put("revoked_at", key.revokedAt().orElse(null))
                    .put("requests_per_minute", key.limits().requestsPerMinute().orElse(null))
                    .put("tokens_per_day", key.limits().tokensPerDay().orElse(null))
                    .put("jobs_per_day", key.limits().jobsPerDay().orElse(null))
                    .put("stored_bytes", key.limits().storedBytes().orElse(null));
        }

        static HashedKey of(JsonNode row) {
            return new HashedKey(new ApiKey(Sql.text(row, "id"), Sql.text(row, "name"), Sql.text(row, "hint"),
                    Optional.ofNullable(Sql.text(row, "project")), row.get("created_at").asLong(),
                    Sql.number(row, "revoked_at"), new ApiKey.Limits(Sql.number(row, "requests_per_minute"),
                            Sql.number(row, "tokens_per_day"), Sql.number(row, "jobs_per_day"),
                            Sql.number(row, "stored_bytes"))),
                    Sql.text(row, "hash"));
        }
    }

    /** A checkpoint and its model, whose job, name and time are the checkpoint's. */
    record ModelOnTheWay(JobCheckpoint checkpoint, StoredModel model) {
        private ObjectNode row() {
            return checkpoint.row().put("base", model.base()).put("owner", model.owner())
                    .put("project", model.project()).put("folder", model.folder());
        }

        private static ModelOnTheWay of(JsonNode row) {
            return new ModelOnTheWay(JobCheckpoint.of(row), StoredModel.of(((ObjectNode) row.deepCopy())
                    .put("name", Sql.text(row, "model")).put("checkpoint", true)));
        }
    }

    Path folder() {
        return folder;
    }

    private void write(ObjectNode record) {
        AtomicFiles.writeString(folder.resolve(Sql.text(record, "id") + ENDING), Json.text(record) + "\n");
    }

    /** What is gone is not built again. */
    void remove(String id) {
        try {
            Files.deleteIfExists(folder.resolve(id + ENDING));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the record of " + id, e);
        }
    }

    /** A job has changed: it would be trained once more where that cannot be written, which is no reason to stop. */
    void update(Job job) {
        try {
            put(job);
        } catch (UncheckedIOException e) {
            LOG.warn("cannot record the job {}: {}", job.id(), e.getMessage());
        }
    }

    void put(Job job) {
        write(job.row());
    }

    List<Job> jobs() {
        return Stream.of("ftjob-", Job.BATCH).flatMap(kind -> all(kind, Job::of).stream()).toList();
    }

    void put(StoredFile file) {
        write(file.row());
    }

    List<StoredFile> files() {
        return all("file-", StoredFile::of);
    }

    void put(ModelOnTheWay both) {
        write(both.row());
    }

    List<ModelOnTheWay> checkpoints() {
        return all("ftckpt_", ModelOnTheWay::of);
    }

    void put(HashedKey key) {
        write(key.row());
    }

    List<HashedKey> keys() {
        return all("key_", HashedKey::of);
    }

    /** Those of a kind that can be read, the oldest first. */
    private <T> List<T> all(String prefix, Function<JsonNode, T> reader) {
        List<JsonNode> nodes = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.filter(path -> path.getFileName().toString().startsWith(prefix)).sorted()
                    .toList()) {
                try {
                    nodes.add(Json.parse(Files.readAllBytes(entry)));
                } catch (IOException e) {
                    LOG.warn("{} is damaged and left out", entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder, e);
        }
        nodes.sort((a, b) -> Long.compare(a.path("created_at").asLong(), b.path("created_at").asLong()));
        List<T> all = new ArrayList<>();
        for (JsonNode node : nodes) {
            try {
                all.add(reader.apply(node));
            } catch (RuntimeException e) {
                LOG.warn("the record of {} is damaged and left out", node.path("id").asText());
            }
        }
        return all;
    }
}
