package io.peft4j.trackers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
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
import java.util.concurrent.TimeUnit;

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

    /** The calls of MLflow's REST API that a training needs; a server that is busy is asked again. */
    private static final class MlflowApi {
        private static final ObjectMapper JSON = new ObjectMapper();
        private static final String API = "/api/2.0/mlflow/";
        private static final String ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts";
        private static final String NOT_THERE = "RESOURCE_DOES_NOT_EXIST";
        private static final Duration CONNECTING = Duration.ofSeconds(10);
        private static final Duration ANSWERING = Duration.ofSeconds(30);
        private static final Duration UPLOADING = Duration.ofMinutes(5);
        /** A reply tells of a run or an error; one that does not end is not read for ever. */
        private static final int MOST_REPLY = 1 << 20;
        private static final int ATTEMPTS = 4;
        private static final long FIRST_PAUSE_MILLIS = 500;

        private final String address;
        private final Optional<String> authorization;
        private final HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECTING).build();

        /**
         * A server.
         *
         * @param address without a slash at its end
         * @param authorization the header of that name
         */
        MlflowApi(String address, Optional<String> authorization) {
            this.address = address;
            this.authorization = authorization;
        }

        /** An object to fill and send. */
        static ObjectNode object() {
            return JSON.createObjectNode();
        }

        /**
         * Sends an object.
         *
         * @param call the end of the address, such as {@code runs/create}
         * @return what is answered
         * @throws IOException with the server's words when it refuses
         */
        JsonNode post(String call, ObjectNode body) throws IOException, InterruptedException {
            Reply reply = send(request(API + call, ANSWERING).header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(body.toString())).build());
            return reply.orRefuse("MLflow refused " + call);
        }

        /** The number of an experiment by its name, which is made where it does not exist. */
        String experiment(String name) throws IOException, InterruptedException {
            Reply found = send(request(API + "experiments/get-by-name?experiment_name=" + encoded(name), ANSWERING)
                    .build());
            if (found.isNotThere()) {
                return post("experiments/create", object().put("name", name)).path("experiment_id").asText();
            }
            return found.orRefuse("MLflow refused the experiment " + name).at("/experiment/experiment_id").asText();
        }

        /** Uploads a file to a place below the artifacts that the server keeps itself. */
        void upload(String folder, Path file) throws IOException, InterruptedException {
            String name = file.getFileName().toString();
            send(request(ARTIFACTS + folder + "/" + encoded(name), UPLOADING)
                    .header("Content-Type", "application/octet-stream").PUT(BodyPublishers.ofFile(file)).build())
                    .orRefuse("MLflow refused " + name);
        }

        private HttpRequest.Builder request(String path, Duration patience) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path)).timeout(patience);
            authorization.ifPresent(value -> request.header("Authorization", value));
            return request;
        }

        private Reply send(HttpRequest request) throws IOException, InterruptedException {
            long pause = FIRST_PAUSE_MILLIS;
            for (int attempt = 1;; attempt++) {
                HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
                String text;
                try (InputStream body = response.body()) {
                    text = new String(body.readNBytes(MOST_REPLY), StandardCharsets.UTF_8);
                }
                Reply reply = new Reply(response.statusCode(), text);
                if (!reply.isBusy() || attempt == ATTEMPTS) {
                    return reply;
                }
                TimeUnit.MILLISECONDS.sleep(pause);
                pause *= 2;
            }
        }

        private static String encoded(String name) {
            return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
        }

        /** What came back. */
        private record Reply(int status, String text) {
            boolean isBusy() {
                return status == 429 || status == 502 || status == 503 || status == 504;
            }

            boolean isNotThere() {
                return status >= 400 && json().path("error_code").asText().equals(NOT_THERE);
            }

            private JsonNode json() {
                try {
                    return JSON.readTree(text);
                } catch (IOException e) {
                    return JSON.missingNode();
                }
            }

            JsonNode orRefuse(String words) throws IOException {
                if (status >= 300) {
                    throw new IOException(words + " with " + status + ": " + json().path("message").asText(text));
                }
                return json();
            }
        }
    }
}
