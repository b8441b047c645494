package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Jobs as OpenAI's clients read them. */
final class JobJson {
    private static final List<String> HYPERPARAMETERS = List.of("batch_size", "learning_rate_multiplier", "n_epochs");

    private final String organization;

    JobJson(String organization) {
        this.organization = organization;
    }

    ObjectNode of(Job job) {
        ObjectNode node = Json.object().put("object", "fine_tuning.job").put("id", job.id())
                .put("model", job.request().get("model").asText()).put("created_at", job.createdAt())
                .put("finished_at", job.finishedAt().orElse(null))
                .put("estimated_finish", job.estimatedFinish().orElse(null))
                .put("fine_tuned_model", job.fineTunedModel().orElse(null))
                .put("organization_id", "org-" + organization)
                .put("status", (job.paused() ? JobStatus.QUEUED : job.status()).code()).put("paused", job.paused())
                .put("training_file", job.trainingFile())
                .put("validation_file", job.validationFile().orElse(null))
                .put("trained_tokens", job.trainedTokens().orElse(null)).put("seed", job.seed())
                .put("user_provided_suffix", job.suffix().orElse(null));
        ArrayNode files = node.putArray("result_files");
        job.resultFiles().forEach(files::add);
        node.set("error", job.error().orElse(null));
        node.set("metadata", job.request().get("metadata"));
        node.set("integrations", job.request().get("integrations"));
        node.set("hyperparameters", chosen(job, HYPERPARAMETERS));
        ObjectNode method = node.putObject("method").put("type", job.method());
        List<String> names = new ArrayList<>(HYPERPARAMETERS);
        Stream.of("beta", "compute_multiplier", "remember").filter(job.hyperparameters()::has).forEach(names::add);
        ObjectNode inner = method.putObject(job.method());
        inner.set("hyperparameters", chosen(job, names));
        Optional.ofNullable(job.request().get("method").path(job.method()).get("grader"))
                .ifPresent(grader -> inner.set("grader", grader));
        return node;
    }

    private static ObjectNode chosen(Job job, List<String> names) {
        ObjectNode chosen = Json.object();
        names.forEach(name -> chosen.set(name, job.hyperparameters().get(name)));
        return chosen;
    }
}
