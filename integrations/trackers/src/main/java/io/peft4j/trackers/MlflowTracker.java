package io.peft4j.trackers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.creds.BasicMlflowHostCreds;

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
    private static final ObjectMapper JSON = new ObjectMapper();

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
    public TrackedRun begin(RunDescription description) {
        MlflowClient client = new MlflowClient(credentials());
        RunInfo run = client.createRun(CreateRun.newBuilder().setExperimentId(experiment(client))
                .setStartTime(System.currentTimeMillis())
                .setRunName(variable("RUN_NAME").orElse(description.name())).build());
        List<Param> parameters = new ArrayList<>();
        description.settings().forEach((name, value) -> parameters.add(Param.newBuilder()
                .setKey(name.replaceAll("[^A-Za-z0-9_./ -]", "_"))
                .setValue(value.length() <= LONGEST_VALUE ? value : value.substring(0, LONGEST_VALUE - 3) + "...")
                .build()));
        for (int from = 0; from < parameters.size(); from += PARAMETERS_AT_ONCE) {
            client.logBatch(run.getRunId(), List.of(), parameters.subList(from,
                    Math.min(parameters.size(), from + PARAMETERS_AT_ONCE)), List.of());
        }
        return new Run(client, run.getRunId(), run.getArtifactUri());
    }

    private BasicMlflowHostCreds credentials() {
        if (variable("TRACKING_TOKEN").isPresent()) {
            return new BasicMlflowHostCreds(address(), variable("TRACKING_TOKEN").get());
        }
        return variable("TRACKING_USERNAME").map(user -> new BasicMlflowHostCreds(address(), user,
                variable("TRACKING_PASSWORD").orElse("")))
                .orElseGet(() -> new BasicMlflowHostCreds(address()));
    }

    private String experiment(MlflowClient client) {
        Optional<String> name = variable("EXPERIMENT_NAME");
        return name.map(asked -> client.getExperimentByName(asked).map(found -> found.getExperimentId())
                .orElseGet(() -> client.createExperiment(asked))).orElse(DEFAULT_EXPERIMENT);
    }

    /** One run on the server. */
    private final class Run implements TrackedRun {
        private final MlflowClient client;
        private final String id;
        private final String artifacts;

        Run(MlflowClient client, String id, String artifacts) {
            this.client = client;
            this.id = id;
            this.artifacts = artifacts;
        }

        @Override
        public void log(List<MetricRow> rows) {
            List<Metric> metrics = new ArrayList<>();
            rows.forEach(row -> row.values().forEach((name, value) -> metrics.add(metric(name, value, row.time(),
                    row.step()))));
            for (int from = 0; from < metrics.size(); from += METRICS_AT_ONCE) {
                client.logBatch(id, metrics.subList(from, Math.min(metrics.size(), from + METRICS_AT_ONCE)), List.of(),
                        List.of());
            }
        }

        private static Metric metric(String name, double value, Instant time, long step) {
            return Metric.newBuilder().setKey(name).setValue(value).setTimestamp(time.toEpochMilli()).setStep(step)
                    .build();
        }

        @Override
        public void end(RunEnd end) throws IOException, InterruptedException {
            List<Metric> summary = end.summary().entrySet().stream()
                    .map(value -> metric(value.getKey(), value.getValue(), Instant.now(), 0)).toList();
            client.logBatch(id, summary, List.of(), List.of(RunTag.newBuilder().setKey("peft4j.status")
                    .setValue(end.status().name()).build()));
            if (end.adapter().isPresent() && artifacts.startsWith(OWN_ARTIFACTS)) {
                upload(end.adapter().get());
            }
            client.setTerminated(id, switch (end.status()) {
                case FINISHED -> RunStatus.FINISHED;
                case CANCELLED -> RunStatus.KILLED;
                case FAILED -> RunStatus.FAILED;
            });
            client.close();
        }

        /** The client's own way to artifacts runs MLflow's Python program; the server takes them over HTTP as well. */
        private void upload(Path adapter) throws IOException, InterruptedException {
            HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
            String root = URI.create(artifacts).getPath();
            for (String name : List.of("adapter_config.json", "adapter_model.safetensors", "README.md")) {
                if (Files.isRegularFile(adapter.resolve(name))) {
                    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address()
                            + "/api/2.0/mlflow-artifacts/artifacts" + root + "/adapter/" + encode(name)))
                            .timeout(Duration.ofMinutes(5)).header("Content-Type", "application/octet-stream")
                            .PUT(HttpRequest.BodyPublishers.ofFile(adapter.resolve(name)));
                    authorization().ifPresent(value -> request.header("Authorization", value));
                    HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
                    if (response.statusCode() >= 300) {
                        throw new IOException("MLflow refused " + name + " with " + response.statusCode() + ": "
                                + message(response.body()));
                    }
                }
            }
        }

        private Optional<String> authorization() {
            return variable("TRACKING_TOKEN").map(token -> "Bearer " + token).or(() -> variable("TRACKING_USERNAME")
                    .map(user -> "Basic " + Base64.getEncoder().encodeToString((user + ":"
                            + variable("TRACKING_PASSWORD").orElse("")).getBytes(StandardCharsets.UTF_8))));
        }

        private static String encode(String name) {
            return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
        }

        private static String message(String body) {
            try {
                JsonNode message = JSON.readTree(body).path("message");
                return message.isTextual() ? message.textValue() : body;
            } catch (IOException e) {
                return body;
            }
        }
    }
}
