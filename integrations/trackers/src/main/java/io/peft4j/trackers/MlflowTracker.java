package io.peft4j.trackers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A run on an MLflow server: settings as parameters, the values of {@code metrics.jsonl} as metrics, the adapter's
 * configuration and weights as artifacts where the server takes artifacts itself (its default).
 *
 * <p>Of MLflow's environment variables, {@code MLFLOW_TRACKING_URI}, {@code MLFLOW_TRACKING_USERNAME},
 * {@code MLFLOW_TRACKING_PASSWORD}, {@code MLFLOW_TRACKING_TOKEN}, {@code MLFLOW_EXPERIMENT_NAME} and
 * {@code MLFLOW_RUN_NAME} are followed.
 */
public final class MlflowTracker implements Tracker {
    private static final String DEFAULT_ADDRESS = "http://127.0.0.1:5000";
    private static final String DEFAULT_EXPERIMENT = "0";
    private static final String OWN_ARTIFACTS = "mlflow-artifacts:/";
    private static final int METRICS_AT_ONCE = 1000;
    private static final int PARAMETERS_AT_ONCE = 100;
    /** Longer values are refused by older servers. */
    private static final int LONGEST_VALUE = 500;

    private final Optional<URI> address;
    private final Map<String, String> environment;

    /** Runs on the server that {@code MLFLOW_TRACKING_URI} names, or else on this machine's port 5000. */
    public MlflowTracker() {
        this.address = Optional.empty();
        this.environment = System.getenv();
    }

    /** Runs on this server. */
    public MlflowTracker(URI address) {
        this(address, System.getenv());
    }

    /** As {@link #MlflowTracker(URI)}, with these environment variables. */
    public MlflowTracker(URI address, Map<String, String> environment) {
        this.address = Optional.of(address);
        this.environment = Map.copyOf(environment);
    }

    private String address() {
        return address.map(URI::toString).or(() -> variable("TRACKING_URI")).orElse(DEFAULT_ADDRESS)
                .replaceAll("/+$", "");
    }

    private Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get("MLFLOW_" + name)).filter(value -> !value.isBlank());
    }

    @Override
    public String name() {
        return "mlflow";
    }

    @Override
    public String form() {
        return "mlflow[=URI]";
    }

    @Override
    public MlflowTracker at(String place) {
        try {
            URI uri = URI.create(place);
            if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
                return new MlflowTracker(uri);
            }
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("the address '" + place + "' of the tracker mlflow is not valid: "
                    + e.getMessage(), e);
        }
        throw new ConfigurationException("the tracker mlflow needs an address such as http://localhost:5000, got '"
                + place + "'");
    }

    @Override
    public TrackedRun begin(RunDescription description) throws IOException, InterruptedException {
        MlflowApi server = new MlflowApi(address(), authorization());
        Optional<String> experiment = variable("EXPERIMENT_NAME");
        JsonNode run = server.post("runs/create", MlflowApi.object()
                .put("experiment_id", experiment.isPresent() ? server.experiment(experiment.get())
                        : DEFAULT_EXPERIMENT)
                .put("start_time", System.currentTimeMillis())
                .put("run_name", variable("RUN_NAME").orElse(description.name()))).at("/run/info");
        Run begun = new Run(server, run.path("run_id").asText(), run.path("artifact_uri").asText());
        List<ObjectNode> parameters = new ArrayList<>();
        description.settings().forEach((name, value) -> parameters.add(MlflowApi.object()
                .put("key", name.replaceAll("[^A-Za-z0-9_./ -]", "_"))
                .put("value", value.length() <= LONGEST_VALUE ? value
                        : value.substring(0, LONGEST_VALUE - 3) + "...")));
        begun.log("params", parameters, PARAMETERS_AT_ONCE);
        return begun;
    }

    private Optional<String> authorization() {
        return variable("TRACKING_TOKEN").map(token -> "Bearer " + token).or(() -> variable("TRACKING_USERNAME")
                .map(user -> "Basic " + Base64.getEncoder().encodeToString((user + ":"
                        + variable("TRACKING_PASSWORD").orElse("")).getBytes(StandardCharsets.UTF_8))));
    }

    /** One run on the server. */
    private static final class Run implements TrackedRun {
        private final MlflowApi server;
        private final String id;
        private final String artifacts;

        Run(MlflowApi server, String id, String artifacts) {
            this.server = server;
            this.id = id;
            this.artifacts = artifacts;
        }

        @Override
        public void log(List<MetricRow> rows) throws IOException, InterruptedException {
            List<ObjectNode> metrics = new ArrayList<>();
            rows.forEach(row -> row.values().forEach((name, value) -> metrics.add(metric(name, value, row.time(),
                    row.step()))));
            log("metrics", metrics, METRICS_AT_ONCE);
        }

        private void log(String kind, List<ObjectNode> values, int atOnce) throws IOException, InterruptedException {
            for (int from = 0; from < values.size(); from += atOnce) {
                ObjectNode batch = MlflowApi.object().put("run_id", id);
                batch.putArray(kind).addAll(values.subList(from, Math.min(values.size(), from + atOnce)));
                server.post("runs/log-batch", batch);
            }
        }

        private static ObjectNode metric(String name, double value, Instant time, long step) {
            return MlflowApi.object().put("key", name).put("value", value).put("timestamp", time.toEpochMilli())
                    .put("step", step);
        }

        @Override
        public void end(RunEnd end) throws IOException, InterruptedException {
            log("metrics", end.summary().entrySet().stream()
                    .map(value -> metric(value.getKey(), value.getValue(), Instant.now(), 0)).toList(),
                    METRICS_AT_ONCE);
            log("tags", List.of(MlflowApi.object().put("key", "peft4j.status").put("value", end.status().name())), 1);
            if (end.adapter().isPresent() && artifacts.startsWith(OWN_ARTIFACTS)) {
                upload(end.adapter().get());
            }
            server.post("runs/update", MlflowApi.object().put("run_id", id).put("status", switch (end.status()) {
                case FINISHED -> "FINISHED";
                case CANCELLED -> "KILLED";
                case FAILED -> "FAILED";
            }).put("end_time", System.currentTimeMillis()));
        }

        private void upload(Path adapter) throws IOException, InterruptedException {
            String folder = URI.create(artifacts).getPath() + "/adapter";
            for (String name : List.of("adapter_config.json", "adapter_model.safetensors", "README.md")) {
                if (Files.isRegularFile(adapter.resolve(name))) {
                    server.upload(folder, adapter.resolve(name));
                }
            }
        }
    }
}
