package io.peft4j.serve.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A fine-tuning job, or a batch of requests, which waits, is taken and ends as one.
 *
 * @param id {@code ftjob-...}, or {@code batch_...}
 * @param owner id of the key that it was made with
 * @param project whose keys see it
 * @param base the base model
 * @param status its status
 * @param paused whether it waits to be resumed
 * @param request what was asked for: {@code training_file}, {@code validation_file}, {@code suffix}, {@code seed},
 *     {@code metadata}, {@code integrations}, {@code method}, {@code model}; of a batch {@code input_file_id},
 *     {@code endpoint}, {@code completion_window}, {@code metadata}
 * @param hyperparameters what it trains with, {@code "auto"} where that is not chosen yet; of a batch how far it is:
 *     {@code total}, {@code completed}, {@code failed}, {@code in_progress_at}, {@code finalizing_at}
 * @param error {@code code}, {@code message}, {@code param}, of one that failed
 * @param fineTunedModel the name of the model that it made
 * @param trainedTokens number of tokens that it was trained on
 * @param resultFiles ids of the files that it left, the metrics first
 * @param createdAt seconds since 1970
 * @param finishedAt when it ended, in seconds since 1970
 * @param estimatedFinish when it is expected to end by its speed so far, in seconds since 1970
 * @param wanted {@code pause} or {@code cancel}, which was asked for and not done yet
 */
public record Job(String id, String owner, String project, String base, JobStatus status, boolean paused,
        ObjectNode request,
        ObjectNode hyperparameters, Optional<JsonNode> error, Optional<String> fineTunedModel,
        Optional<Long> trainedTokens, List<String> resultFiles, long createdAt, Optional<Long> finishedAt,
        Optional<Long> estimatedFinish, Optional<String> wanted) {
    /** What ids of batches begin with. */
    public static final String BATCH = "batch_";

    /** Copies the list. */
    public Job {
        resultFiles = List.copyOf(resultFiles);
    }

    /** One that was just made. */
    public static Job begun(String id, String owner, String project, String base, ObjectNode request,
            ObjectNode hyperparameters, long now) {
        return new Job(id, owner, project, base, JobStatus.VALIDATING_FILES, false, request, hyperparameters,
                Optional.empty(), Optional.empty(), Optional.empty(), List.of(), now, Optional.empty(),
                Optional.empty(), Optional.empty());
    }

    /** Whether it is a batch of requests. */
    public boolean isBatch() {
        return id.startsWith(BATCH);
    }

    /** The id of the file with the examples. */
    public String trainingFile() {
        return request.get("training_file").asText();
    }

    /** The id of the file with held-out examples. */
    public Optional<String> validationFile() {
        return text("validation_file");
    }

    /** What the name of the model is to hold. */
    public Optional<String> suffix() {
        return text("suffix");
    }

    /** Whether it reads a file. */
    public boolean reads(String file) {
        return Stream.of("training_file", "validation_file", "input_file_id")
                .anyMatch(field -> text(field).filter(file::equals)
                        .isPresent());
    }

    /** The seed of its randomness. */
    public long seed() {
        return request.get("seed").asLong();
    }

    /** {@code supervised}, {@code dpo} or {@code reinforcement}. */
    public String method() {
        return request.get("method").get("type").asText();
    }

    ObjectNode row() {
        ObjectNode row = Json.object().put("id", id).put("owner", owner).put("project", project).put("base", base)
                .put("status", status.code()).put("paused", paused).put("fine_tuned_model", fineTunedModel.orElse(null))
                .put("trained_tokens", trainedTokens.orElse(null)).put("created_at", createdAt)
                .put("finished_at", finishedAt.orElse(null));
        row.set("request", request);
        row.set("hyperparameters", hyperparameters);
        row.set("error", error.orElse(null));
        return row.set("result_files", Json.value(resultFiles));
    }

    static Job of(JsonNode row) {
        List<String> results = new ArrayList<>();
        Sql.json(row, "result_files").forEach(file -> results.add(file.asText()));
        return new Job(Sql.text(row, "id"), Sql.text(row, "owner"), Sql.text(row, "project"), Sql.text(row, "base"),
                JobStatus.of(Sql.text(row, "status")), row.get("paused").asBoolean(),
                (ObjectNode) Sql.json(row, "request"), (ObjectNode) Sql.json(row, "hyperparameters"),
                Optional.of(Sql.json(row, "error")).filter(error -> !error.isNull()),
                Optional.ofNullable(Sql.text(row, "fine_tuned_model")), Sql.number(row, "trained_tokens"), results,
                row.get("created_at").asLong(), Sql.number(row, "finished_at"), Sql.number(row, "estimated_finish"),
                Optional.ofNullable(row.path("wanted").textValue()));
    }

    private Optional<String> text(String field) {
        JsonNode value = request.get(field);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(value.asText());
    }
}
