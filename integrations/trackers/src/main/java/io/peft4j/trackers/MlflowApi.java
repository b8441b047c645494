package io.peft4j.trackers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The calls of MLflow's REST API that a training needs; a server that is busy is asked again. */
final class MlflowApi {
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
