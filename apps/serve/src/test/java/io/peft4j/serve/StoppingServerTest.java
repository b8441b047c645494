package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers that are cut by the end of the server say that they are. */
class StoppingServerTest {
    private static final int ANSWERS = 16;

    @TempDir
    Path data;

    private static double figure(TestServer server, String name) {
        return server.get("/metrics").body().asText().lines().filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    private static String request(boolean stream) {
        return "{\"model\": \"tiny-llama\", \"n\": " + ANSWERS + ", \"max_tokens\": 150, \"stream\": " + stream
                + ", \"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}";
    }

    @Test
    void whatIsCutEndsWithAnError() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        TestServer server = TestServer.start(data, builder -> builder.lastAnswers(Duration.ofMillis(1)));
        BufferedReader lines;
        CompletableFuture<HttpResponse<String>> whole;
        try {
            HttpRequest.Builder post = HttpRequest.newBuilder(server.uri("/v1/chat/completions"));
            HttpResponse<InputStream> stream = client.send(post.POST(BodyPublishers.ofString(request(true))).build(),
                    HttpResponse.BodyHandlers.ofInputStream());
            lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8));
            assertTrue(lines.readLine().startsWith("data: {"));
            whole = client.sendAsync(post.POST(BodyPublishers.ofString(request(false))).build(),
                    HttpResponse.BodyHandlers.ofString());
            while (figure(server, "answers_running") + figure(server, "answers_waiting") <= ANSWERS) {
                Thread.sleep(2);
            }
        } finally {
            server.close();
        }
        List<String> rest = lines.lines().filter(line -> !line.isEmpty()).toList();
        String last = rest.get(rest.size() - 1);
        assertTrue(last.startsWith("data: {\"error\":{\"message\":\"the server is stopping\""), last);
        HttpResponse<String> cut = whole.get();
        assertEquals(503, cut.statusCode(), cut.body());
        assertTrue(cut.body().contains("the server is stopping"), cut.body());
    }
}
