package io.peft4j.serve.store.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.support.AtomicFiles;
import io.peft4j.serve.http.internal.Json;
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

    /** A key and its hash. */
    record HashedKey(ApiKey key, String hash) {
    }

    /** A checkpoint and its model. */
    record ModelOnTheWay(JobCheckpoint checkpoint, StoredModel model) {
    }

    Path folder() {
        return folder;
    }

    private void write(String id, ObjectNode record) {
        AtomicFiles.writeString(folder.resolve(id + ENDING), Json.text(record) + "\n");
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
        ArrayNode results = Json.array();
        job.resultFiles().forEach(results::add);
        ObjectNode record = Json.object().put("id", job.id()).put("owner", job.owner()).put("project", job.project())
                .put("base", job.base()).put("status", job.status().code()).put("paused", job.paused())
                .put("fine_tuned_model", job.fineTunedModel().orElse(null))
                .put("trained_tokens", job.trainedTokens().orElse(null)).put("created_at", job.createdAt())
                .put("finished_at", job.finishedAt().orElse(null));
        record.set("request", job.request());
        record.set("hyperparameters", job.hyperparameters());
        record.set("error", job.error().orElse(null));
        record.set("result_files", results);
        write(job.id(), record);
    }

    private static Job job(JsonNode record) {
        List<String> results = new ArrayList<>();
        record.get("result_files").forEach(file -> results.add(file.asText()));
        return new Job(text(record, "id"), text(record, "owner"), text(record, "project"), text(record, "base"),
                JobStatus.of(text(record, "status")), record.get("paused").asBoolean(),
                (ObjectNode) record.get("request"), (ObjectNode) record.get("hyperparameters"),
                Optional.of(record.get("error")).filter(error -> !error.isNull()),
                optionalText(record, "fine_tuned_model"), number(record, "trained_tokens"), results,
                record.get("created_at").asLong(), number(record, "finished_at"), Optional.empty(), Optional.empty());
    }

    List<Job> jobs() {
        return Stream.of("ftjob-", Job.BATCH).flatMap(kind -> all(kind, Records::job).stream()).toList();
    }

    void put(StoredFile file) {
        write(file.id(), Json.object().put("id", file.id()).put("owner", file.owner()).put("project", file.project())
                .put("filename", file.filename()).put("purpose", file.purpose()).put("bytes", file.bytes())
                .put("created_at", file.createdAt()).put("expires_at", file.expiresAt().orElse(null))
                .put("status", file.status()).put("status_details", file.statusDetails().orElse(null)));
    }

    private static StoredFile file(JsonNode record) {
        return new StoredFile(text(record, "id"), text(record, "owner"), text(record, "project"),
                text(record, "filename"), text(record, "purpose"), record.get("bytes").asLong(),
                record.get("created_at").asLong(), number(record, "expires_at"), text(record, "status"),
                optionalText(record, "status_details"));
    }

    List<StoredFile> files() {
        return all("file-", Records::file);
    }

    void put(ModelOnTheWay both) {
        JobCheckpoint checkpoint = both.checkpoint();
        StoredModel model = both.model();
        ObjectNode record = Json.object().put("id", checkpoint.id()).put("job", checkpoint.job())
                .put("step", checkpoint.step()).put("model", model.name()).put("base", model.base())
                .put("owner", model.owner()).put("project", model.project()).put("folder", model.folder())
                .put("created_at", checkpoint.createdAt());
        record.set("metrics", checkpoint.metrics());
        write(checkpoint.id(), record);
    }

    private static ModelOnTheWay checkpoint(JsonNode record) {
        String job = text(record, "job");
        long created = record.get("created_at").asLong();
        return new ModelOnTheWay(new JobCheckpoint(text(record, "id"), job, record.get("step").asLong(),
                text(record, "model"), created, record.get("metrics")),
                new StoredModel(text(record, "model"),
                        text(record, "base"), text(record, "owner"), text(record, "project"), job,
                        text(record, "folder"), true, created));
    }

    List<ModelOnTheWay> checkpoints() {
        return all("ftckpt_", Records::checkpoint);
    }

    void put(HashedKey both) {
        ApiKey key = both.key();
        write(key.id(), Json.object().put("id", key.id()).put("name", key.name()).put("hint", key.hint())
                .put("hash", both.hash()).put("project", key.project().orElse(null)).put("created_at", key.createdAt())
                .put("revoked_at", key.revokedAt().orElse(null))
                .put("requests_per_minute", key.limits().requestsPerMinute().orElse(null))
                .put("tokens_per_day", key.limits().tokensPerDay().orElse(null))
                .put("jobs_per_day", key.limits().jobsPerDay().orElse(null))
                .put("stored_bytes", key.limits().storedBytes().orElse(null)));
    }

    private static HashedKey key(JsonNode record) {
        return new HashedKey(new ApiKey(text(record, "id"), text(record, "name"), text(record, "hint"),
                optionalText(record, "project"), record.get("created_at").asLong(), number(record, "revoked_at"),
                new ApiKey.Limits(number(record, "requests_per_minute"), number(record, "tokens_per_day"),
                        number(record, "jobs_per_day"), number(record, "stored_bytes"))),
                text(record, "hash"));
    }

    List<HashedKey> keys() {
        return all("key_", Records::key);
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

    private static String text(JsonNode record, String field) {
        return record.get(field).textValue();
    }

    private static Optional<String> optionalText(JsonNode record, String field) {
        return Optional.ofNullable(text(record, field));
    }

    private static Optional<Long> number(JsonNode record, String field) {
        JsonNode value = record.get(field);
        return value.isNull() ? Optional.empty() : Optional.of(value.asLong());
    }
}
