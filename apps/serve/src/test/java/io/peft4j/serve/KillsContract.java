package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Servers that are killed at any moment: what they had accepted is there, every step of a job is reported once, and
 * losses and adapter are those of a server that was left alone. More kills: {@code -Dpeft4j.kills=50}.
 */
@Tag("full")
abstract class KillsContract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final int KILLS = Integer.getInteger("peft4j.kills", 2);
    private static final int ROWS = 16;
    /** Enough of them that the job trains while the last kill comes. */
    private static final int EPOCHS = Math.min(50, 3 + KILLS);
    private static final int PAUSED_EPOCHS = 25;
    private static final String JOBS = "/v1/fine_tuning/jobs";

    @TempDir
    Path folder;

    private final SplittableRandom random = new SplittableRandom(5);

    /** The database of all servers of a test, where it is not the file in the folder. */
    abstract Optional<String> database();

    /** How many servers work side by side. */
    abstract int servers();

    private static JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = CLIENT.send(request.timeout(Duration.ofSeconds(30)).build(),
                BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        return JSON.readTree(response.body());
    }

    private static JsonNode get(String url, String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + path)));
    }

    private static String upload(String url, String rows) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + "/v1/files"))
                .header("Content-Type", "multipart/form-data; boundary=frontier")
                .POST(BodyPublishers.ofByteArray(TestServer.form("fine-tune", "rows.jsonl", rows)))).get("id").asText();
    }

    private static String job(String url, String file, int epochs) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + JOBS)).POST(BodyPublishers.ofString(("{'model': "
                + "'tiny-llama', 'training_file': '" + file + "', 'seed': 3, 'hyperparameters': {'n_epochs': "
                + epochs + ", 'batch_size': 1}}").replace('\'', '"')))).get("id").asText();
    }

    /** The losses of the steps that were told; fails where one was told twice. */
    private static Map<Integer, Double> losses(String url, String job) throws IOException, InterruptedException {
        Map<Integer, Double> losses = new TreeMap<>();
        for (JsonNode event : get(url, JOBS + "/" + job + "/events?limit=1000").get("data")) {
            if (event.get("type").asText().equals("metrics")) {
                JsonNode figures = event.get("data");
                assertEquals(null, losses.put(figures.get("step").asInt(), figures.get("train_loss").asDouble()),
                        "a step that was told twice");
            }
        }
        return losses;
    }

    private void awaitEnd(String url, String job) throws IOException, InterruptedException {
        for (int i = 0; i < 3000; i++) {
            JsonNode seen = get(url, JOBS + "/" + job);
            String status = seen.get("status").asText();
            if (status.equals("succeeded")) {
                return;
            }
            assertTrue(List.of("validating_files", "queued", "running").contains(status), () -> seen + "\n" + log());
            Thread.sleep(20);
        }
        throw new AssertionError("the job does not end");
    }

    /** What the servers have said. */
    private String log() {
        try {
            return Files.readString(folder.resolve("log.txt"));
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    private ServerProcess start(Path data, Optional<String> url) throws IOException {
        return ServerProcess.start(data, url, folder.resolve("log.txt"));
    }

    @Test
    void killsLoseNothingAndChangeNothing() throws IOException, InterruptedException {
        String rows = TestServer.rows(0, ROWS);
        Path left = folder.resolve("left-alone");
        Map<Integer, Double> expected;
        byte[] adapter;
        try (ServerProcess server = start(left, Optional.empty())) {
            String job = job(server.url(), upload(server.url(), rows), EPOCHS);
            awaitEnd(server.url(), job);
            expected = losses(server.url(), job);
            adapter = adapter(left, job);
            assertEquals(143, server.terminate(), "SIGTERM ends it in order");
        }
        assertEquals(ROWS * EPOCHS, expected.size());

        Path data = folder.resolve("killed");
        List<ServerProcess> servers = new ArrayList<>();
        try {
            for (int i = 0; i < servers(); i++) {
                servers.add(start(data, database()));
            }
            Map<String, String> files = new LinkedHashMap<>();
            Map<Integer, Double> told = Map.of();
            String url = servers.get(0).url();
            files.put(upload(url, rows), rows);
            String job = job(url, files.keySet().iterator().next(), EPOCHS);
            for (int kill = 0; kill < KILLS; kill++) {
                int victim = kill % servers.size();
                url = servers.get((victim + 1) % servers.size()).url();
                requireAll(url, job, files, told);
                awaitMore(url, job, told.size() + random.nextInt(12));
                String some = TestServer.rows(kill, kill + 1);
                files.put(upload(url, some), some);
                told = losses(url, job);
                Thread.sleep(random.nextInt(40));
                servers.get(victim).kill();
                servers.set(victim, start(data, database()));
            }
            url = servers.get(0).url();
            requireAll(url, job, files, told);
            awaitEnd(url, job);
            assertEquals(expected, losses(url, job));
            assertArrayEquals(adapter, adapter(data, job));
            String model = get(url, JOBS + "/" + job).get("fine_tuned_model").asText();
            assertEquals(model, get(url, "/v1/models/" + model).get("id").asText());
        } finally {
            servers.forEach(ServerProcess::close);
        }
    }

    /** Neither another thread nor another server may write beside one that stopped and continues. */
    @Test
    void aPauseLongerThanTheLeaseLosesNothing() throws IOException, InterruptedException {
        Path data = folder.resolve("paused");
        List<ServerProcess> servers = new ArrayList<>();
        try {
            for (int i = 0; i < servers(); i++) {
                servers.add(start(data, database()));
            }
            String url = servers.get(0).url();
            String job = job(url, upload(url, TestServer.rows(0, ROWS)), PAUSED_EPOCHS);
            Duration pause = ServerProcess.LEASE.plusMillis(1500);
            awaitMore(url, job, 100);
            for (ServerProcess server : servers) {
                ServerProcess.pause(List.of(server), pause);
            }
            awaitMore(url, job, 200);
            ServerProcess.pause(servers, pause);
            awaitEnd(url, job);
            assertEquals(ROWS * PAUSED_EPOCHS, losses(url, job).size());
        } finally {
            servers.forEach(ServerProcess::close);
        }
    }

    private static byte[] adapter(Path data, String job) throws IOException {
        return Files.readAllBytes(data.resolve("jobs").resolve(job).resolve("run/adapter_model.safetensors"));
    }

    private static void requireAll(String url, String job, Map<String, String> files, Map<Integer, Double> told)
            throws IOException, InterruptedException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            HttpResponse<String> content = CLIENT.send(HttpRequest.newBuilder(URI.create(url + "/v1/files/"
                    + file.getKey() + "/content")).build(), BodyHandlers.ofString());
            assertEquals(file.getValue(), content.body());
        }
        Map<Integer, Double> now = losses(url, job);
        told.forEach((step, loss) -> assertEquals(loss, now.get(step), "a step that was told"));
    }

    private static void awaitMore(String url, String job, int count) throws IOException, InterruptedException {
        for (int i = 0; i < 1500 && losses(url, job).size() < count
                && !get(url, JOBS + "/" + job).get("status").asText().equals("succeeded"); i++) {
            Thread.sleep(5);
        }
    }
}
