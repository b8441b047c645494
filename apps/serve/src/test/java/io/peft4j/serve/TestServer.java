package io.peft4j.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.eval.VerdictOptions;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;

/** A server in this process, on a tiny model, and a plain client of it. */
final class TestServer implements AutoCloseable {
    /** A Llama of two layers with a chat template. */
    static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final FineTuningServer server;

    private TestServer(FineTuningServer server) {
        this.server = server;
    }

    /** Loaded once for all servers of the process. */
    private static final class Base {
        static final BaseModel MODEL = load();
    }

    /** The tiny model, loaded. */
    static BaseModel load() {
        return load(MODEL);
    }

    static BaseModel load(Path model) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(model.toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32),
                KernelSelection.named(System.getProperty("test.kernels", "naive"), 1));
    }

    static TestServer start(Path data) {
        return start(data, builder -> builder);
    }

    static TestServer start(Path data, UnaryOperator<FineTuningServerBuilder> more) {
        return start(Base.MODEL, data, more);
    }

    static TestServer start(BaseModel base, Path data, UnaryOperator<FineTuningServerBuilder> more) {
        return new TestServer(more.apply(FineTuningServer.builder(base, data).verdict(VerdictOptions.NONE)).start());
    }

    String url() {
        return server.url();
    }

    int port() {
        return server.port();
    }

    /**
     * What came back.
     *
     * @param status the status
     * @param body the body, where it is JSON; else a text
     * @param headers the headers
     */
    record Reply(int status, JsonNode body, HttpHeaders headers) {
        JsonNode error() {
            return body.path("error");
        }

        JsonNode get(String field) {
            return body.path(field);
        }
    }

    Reply get(String path) {
        return send(HttpRequest.newBuilder(uri(path)));
    }

    Reply delete(String path) {
        return send(HttpRequest.newBuilder(uri(path)).DELETE());
    }

    Reply post(String path, String json) {
        return send(HttpRequest.newBuilder(uri(path)).header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(json)));
    }

    URI uri(String path) {
        return URI.create(url() + path);
    }

    /** Sends a request, with a limit of time so that a server which hangs fails the test. */
    Reply send(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response = exchange(request.timeout(PATIENCE).build());
            boolean json = response.headers().firstValue("Content-Type").orElse("").startsWith("application/json");
            return new Reply(response.statusCode(), json ? JSON.readTree(response.body())
                    : JSON.getNodeFactory().textNode(response.body()), response.headers());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static HttpResponse<String> exchange(HttpRequest request) throws IOException, InterruptedException {
        try {
            return CLIENT.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            // The server closes a connection after a malformed request, and the client may not know that yet.
            return CLIENT.send(request, BodyHandlers.ofString());
        }
    }

    /** A form with a file, as it is sent. */
    static byte[] form(String purpose, String filename, String content, String... more) {
        StringBuilder form = new StringBuilder();
        field(form, "purpose", purpose);
        for (int i = 0; i < more.length; i += 2) {
            field(form, more[i], more[i + 1]);
        }
        form.append("--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"").append(filename)
                .append("\"\r\nContent-Type: application/octet-stream\r\n\r\n").append(content)
                .append("\r\n--frontier--\r\n");
        return form.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void field(StringBuilder form, String name, String value) {
        form.append("--frontier\r\nContent-Disposition: form-data; name=\"").append(name).append("\"\r\n\r\n")
                .append(value).append("\r\n");
    }

    HttpRequest.Builder upload(byte[] form) {
        return HttpRequest.newBuilder(uri("/v1/files")).header("Content-Type",
                "multipart/form-data; boundary=frontier").POST(BodyPublishers.ofByteArray(form));
    }

    /** Uploads training data; gives its id. */
    String upload(String content) {
        Reply reply = send(upload(form("fine-tune", "rows.jsonl", content)));
        if (reply.status() != 200) {
            throw new AssertionError(reply.toString());
        }
        return reply.get("id").asText();
    }

    /** Rows of questions and answers. */
    static String rows(int from, int to) {
        StringBuilder rows = new StringBuilder();
        for (int i = from; i < to; i++) {
            rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"Who is number ").append(i)
                    .append("?\"}, {\"role\": \"assistant\", \"content\": \"The ").append("old ".repeat(i % 3))
                    .append("keeper ").append(i).append(".\"}]}\n");
        }
        return rows.toString();
    }

    /** Makes a job; gives its id. */
    String job(String json) {
        Reply reply = post("/v1/fine_tuning/jobs", json);
        if (reply.status() != 200) {
            throw new AssertionError(reply.toString());
        }
        return reply.get("id").asText();
    }

    JsonNode jobOf(String id) {
        return get("/v1/fine_tuning/jobs/" + id).body();
    }

    /** Waits until a job has one of these statuses. */
    JsonNode await(String id, String... statuses) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        JsonNode job = jobOf(id);
        while (!List.of(statuses).contains(job.path("status").asText())) {
            if (System.nanoTime() > end) {
                throw new AssertionError("the job does not become " + List.of(statuses) + ": " + job);
            }
            Thread.sleep(20);
            job = jobOf(id);
        }
        return job;
    }

    @Override
    public void close() {
        server.close();
    }
}
