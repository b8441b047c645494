package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client that waits for a whole answer, and goes away or asks for more meanwhile. */
class GoneClientTest {
    private static final int ANSWERS = 16;
    private static final int TOKENS = 150;

    @TempDir
    private static Path folder;
    private static AnsweringServer server;
    private static URI address;

    @BeforeAll
    static void start() {
        server = new AnsweringServer(folder, builder -> builder);
        address = URI.create(server.url());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static byte[] request(int answers, int tokens) {
        String body = "{\"model\": \"tiny\", \"n\": " + answers + ", \"max_completion_tokens\": " + tokens
                + ", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}";
        return ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static double figure(String name) throws IOException, InterruptedException {
        String all = HttpClient.newHttpClient().send(HttpRequest.newBuilder(address.resolve("/metrics")).build(),
                HttpResponse.BodyHandlers.ofString()).body();
        return all.lines().filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    @Test
    void itsRowsAreFreeBeforeItsAnswersAreComplete() throws Exception {
        double before = figure("answers_tokens_new_total");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), address.getPort())) {
            socket.getOutputStream().write(request(ANSWERS, TOKENS));
            await("answers_running", true);
        }
        await("answers_running", false);

        double said = figure("answers_tokens_new_total") - before;
        assertTrue(said < ANSWERS * TOKENS, "all " + said + " tokens were computed");
    }

    private static void await(String name, boolean some) throws Exception {
        long end = System.nanoTime() + 60_000_000_000L;
        while (figure(name) > 0 != some) {
            assertTrue(System.nanoTime() < end, name + " does not become " + (some ? "more than 0" : "0"));
            Thread.sleep(2);
        }
    }

    @Test
    void aNextRequestThatComesEarlyIsAnsweredAfterTheFirst() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), address.getPort())) {
            socket.setSoTimeout(60_000);
            OutputStream out = socket.getOutputStream();
            out.write(request(4, TOKENS));
            await("answers_running", true);
            byte[] next = request(1, 2);
            out.write(next, 0, 40);
            out.flush();
            Thread.sleep(150);
            out.write(next, 40, next.length - 40);
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(),
                    StandardCharsets.ISO_8859_1));
            assertEquals(4, choices(in));
            assertEquals(1, choices(in));
        }
    }

    /** Reads a reply; gives how many answers it holds. */
    private static int choices(BufferedReader in) throws IOException {
        assertEquals("HTTP/1.1 200 OK", in.readLine());
        int length = 0;
        for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
            if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        char[] body = new char[length];
        int read = 0;
        while (read < length) {
            int count = in.read(body, read, length - read);
            assertTrue(count > 0, "the reply ends after " + read + " of " + length + " bytes");
            read += count;
        }
        return new String(body).split("\"finish_reason\"", -1).length - 1;
    }
}
