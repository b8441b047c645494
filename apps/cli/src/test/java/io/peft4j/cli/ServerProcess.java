package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.TimeUnit;

/** Talks to a process that answers over HTTP. */
final class ServerProcess {
    private static final String LISTENING = "listening on http://0.0.0.0:";

    private ServerProcess() {
    }

    /** Waits until it listens; gives its address. */
    static String address(JavaProcess server) throws IOException, InterruptedException {
        while (server.process().isAlive() && !server.out().contains("\n")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertTrue(server.out().startsWith(LISTENING), server.out() + server.err());
        return "http://127.0.0.1:" + server.out().strip().substring(LISTENING.length());
    }

    /** The body of the answer, which must have the status. */
    static String post(String address, String body, int status) throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(address))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(status, answer.statusCode(), answer.body());
        return answer.body();
    }
}
