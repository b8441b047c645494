package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.TestServer.Reply;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that are malformed, oversize or meant to harm: refused, never a failure of the server, nothing left. */
class HostileRequestsTest {
    private static final int TRIES = Integer.getInteger("fuzz.inputs", 300);
    private static final String JOBS = "/v1/fine_tuning/jobs";

    @TempDir
    static Path data;

    private static TestServer server;
    private static String file;

    @BeforeAll
    static void start() {
        // Not the rights to a job that trains: what passes by chance must not take minutes.
        server = TestServer.start(data, builder -> builder.jobsAtOnce(0));
        file = server.upload(TestServer.rows(0, 12));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** Whatever came before, the server continues, and no half of an upload is left. */
    @AfterEach
    void goesOn() throws IOException {
        assertEquals(200, server.get("/health").status());
        try (Stream<Path> files = Files.list(data.resolve("files"))) {
            List<String> strange = files.map(path -> path.getFileName().toString())
                    .filter(name -> !name.matches("file-[A-Za-z0-9]+")).toList();
            assertTrue(strange.isEmpty(), strange.toString());
        }
    }

    private static void requireNoFailure(Reply reply, String sent) {
        assertTrue(reply.status() < 500, () -> reply + " for " + sent);
        if (reply.status() >= 400) {
            assertFalse(reply.error().path("message").asText().isEmpty(), () -> reply + " for " + sent);
        }
    }

    /** Sends bytes as they are; gives the first line of the reply, or nothing where the connection was closed. */
    private static String raw(byte[] bytes) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            try {
                out.write(bytes);
                out.flush();
                socket.shutdownOutput();
            } catch (IOException e) {
                // It was refused before its end.
                return "";
            }
            String reply = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            return reply.lines().findFirst().orElse("");
        } catch (SocketException e) {
            return "";
        }
    }

    @Test
    void whatIsNoHttpIsRefused() throws IOException {
        List<String> requests = List.of("", "\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "GET /v1/files HTTP/1.1\r\n\r\n", "BREW /v1/files HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/files/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/files/%2e%2e%2fetc HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/files/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/files?limit=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/files?limit=%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /v1/models/..;/..;/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET //v1//files HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /" + "a".repeat(100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(100_000) + "\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "POST " + JOBS + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"model\"",
                "POST " + JOBS + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST " + JOBS + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"
                        + "\r\n0\r\n\r\n");
        for (String request : requests) {
            String line = raw(request.getBytes(StandardCharsets.ISO_8859_1));
            assertFalse(line.matches("HTTP/1.. 5(?!05).*"), () -> line + " for " + request);
        }
    }

    @Test
    void aChunkWithoutASizeIsABadRequest() throws IOException {
        for (String body : List.of("zz\r\n", "2\r\n{}\r\nzz\r\n", "-1\r\n{}", "fffffffffffffffffff\r\n{}")) {
            for (String path : List.of(JOBS, "/v1/chat/completions")) {
                String line = raw(("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + body).getBytes(StandardCharsets.ISO_8859_1));
                assertTrue(line.startsWith("HTTP/1.1 400 "), () -> line + " for " + body);
            }
        }
    }

    /** A client that keeps connections would send its next request into one that is closed. */
    @Test
    void aConnectionThatIsClosedSaysSo() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("GET /v1/files/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(
                    StandardCharsets.ISO_8859_1));
            String reply = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertTrue(reply.startsWith("HTTP/1.1 400 ") && reply.contains("\r\nConnection: close\r\n"), reply);
        }
    }

    @Test
    void anAddressThatIsTakenIsNamed(@TempDir Path other) {
        String message = assertThrows(ConfigurationException.class,
                () -> TestServer.start(other, builder -> builder.port(server.port()))).getMessage();
        assertTrue(message.contains("port " + server.port()) && message.contains("in use"), message);
    }

    @Test
    @Tag("full")
    void bytesAtRandomAreRefused() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        byte[] good = ("POST " + JOBS + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: 40\r\n\r\n{\"model\": \"tiny-llama\", \"seed\": 1234567}").getBytes(
                        StandardCharsets.ISO_8859_1);
        for (int i = 0; i < TRIES; i++) {
            byte[] bytes = good.clone();
            for (int change = random.nextInt(1, 5); change > 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            String line = raw(bytes);
            assertFalse(line.matches("HTTP/1.. 5(?!05).*"), () -> line + " for "
                    + new String(bytes, StandardCharsets.ISO_8859_1));
        }
    }

    @Test
    @Tag("full")
    void jsonOfAnyShapeIsReadOrRefused() {
        List<String> bodies = new ArrayList<>(List.of("", "null", "[]", "7", "\"a\"", "{", "{}x", "{\"a\":1,\"a\":2}",
                "{\"model\": NaN}", "{\"model\": 1e999999}", "{\"seed\": 1e400}", "\u0000", "{\"\\ud800\": 1}",
                "[".repeat(5000) + "]".repeat(5000), "{\"a\":".repeat(3000) + "1" + "}".repeat(3000),
                "{\"model\": \"" + "a".repeat(1_000_000) + "\"}", "{\"seed\": " + "9".repeat(5000) + "}"));
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < TRIES; i++) {
            bodies.add(randomJob(random));
        }
        for (String body : bodies) {
            requireNoFailure(server.post(JOBS, body), body.substring(0, Math.min(300, body.length())));
        }
        requireNoFailure(server.post(JOBS, "{\"model\": \"" + "a".repeat(17 << 20) + "\"}"), "17 MB");
        for (byte[] bytes : List.of(new byte[] {0, 0, 0, '{', -1, -1, -1, -1}, new byte[] {0, '{', 0, 0, 0, '}', 0, 0},
                new byte[] {'{', '"', -1, '"', '}'})) {
            requireNoFailure(server.send(HttpRequest.newBuilder(server.uri(JOBS)).POST(BodyPublishers.ofByteArray(
                    bytes))), Arrays.toString(bytes));
        }
    }

    /** A job with values of any kind where others belong. */
    private static String randomJob(SplittableRandom random) {
        StringBuilder body = new StringBuilder("{");
        String[] fields = {"model", "training_file", "validation_file", "suffix", "seed", "metadata", "integrations",
            "method", "hyperparameters"};
        for (String field : fields) {
            if (random.nextInt(4) > 0) {
                body.append(body.length() > 1 ? "," : "").append('"').append(field).append("\":");
                body.append(field.equals("model") && random.nextBoolean() ? "\"tiny-llama\""
                        : field.equals("training_file") && random.nextBoolean() ? "\"" + file + "\""
                                : value(random, 3));
            }
        }
        return body.append('}').toString();
    }

    private static String value(SplittableRandom random, int depth) {
        String[] keys = {"type", "supervised", "dpo", "hyperparameters", "n_epochs", "batch_size", "wandb", "project",
            "tags", "beta", "x"};
        String[] leaves = {"null", "true", "-1", "0", "1", "2.5", "1e300", "\"auto\"", "\"supervised\"", "\"wandb\"",
            "\"../../x\"", "\"\"", "\"a\\u0000b\"", "\"'; DROP TABLE jobs; --\"", "99999999999999999999"};
        int kind = depth == 0 ? 0 : random.nextInt(4);
        if (kind < 2) {
            return leaves[random.nextInt(leaves.length)];
        }
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            text.append(i > 0 ? "," : "");
            text.append(kind == 2 ? "\"" + keys[(random.nextInt(keys.length) + i) % keys.length] + i + "\":" : "");
            text.append(value(random, depth - 1));
        }
        return kind == 2 ? "{" + text.toString().replaceAll("([a-z_])[0-3]\":", "$1\":") + "}" : "[" + text + "]";
    }

    @Test
    @Tag("full")
    void formsOfAnyShapeAreReadOrRefused() throws IOException {
        byte[] good = TestServer.form("fine-tune", "a.jsonl", TestServer.rows(0, 3));
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < TRIES; i++) {
            byte[] form = good.clone();
            for (int change = random.nextInt(1, 4); change > 0; change--) {
                form[random.nextInt(form.length)] = (byte) random.nextInt(256);
            }
            String line = raw(request(form, "multipart/form-data; boundary=frontier"));
            assertFalse(line.matches("HTTP/1.. 5.*"), () -> line + " for "
                    + new String(form, StandardCharsets.ISO_8859_1));
        }
        for (String type : List.of("multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; "
                + "boundary=frontier", "multipart/form-data; boundary=" + "b".repeat(5000), "text/plain")) {
            String line = raw(request(good, type));
            assertTrue(line.matches("HTTP/1.. (4..|200).*"), () -> line + " for " + type);
        }
        String twice = raw(request(TestServer.form("fine-tune", "a", "{}", "purpose", "batch"),
                "multipart/form-data; boundary=frontier"));
        assertTrue(twice.contains(" 400 "), twice);
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            many.append("--frontier\r\nContent-Disposition: form-data; name=\"f").append(i).append("\"\r\n\r\n\r\n");
        }
        String line = raw(request(many.append("--frontier--\r\n").toString().getBytes(StandardCharsets.UTF_8),
                "multipart/form-data; boundary=frontier"));
        assertFalse(line.matches("HTTP/1.. (5|2).*"), line);
    }

    private static byte[] request(byte[] form, String type) {
        byte[] head = ("POST /v1/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " + type
                + "\r\nContent-Length: " + form.length + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = Arrays.copyOf(head, head.length + form.length);
        System.arraycopy(form, 0, all, head.length, form.length);
        return all;
    }

    @Test
    void namesAndNumbersFromOutsideAreNeverMoreThanThat() {
        for (String id : List.of("..", "%2e%2e", "..%2f..%2fstate.db", "%00", "a'%20OR%20'1'='1", "%F0%9F%92%A9",
                "a".repeat(2000), "%0d%0aX:%20y", "${jndi:ldap://x}".replace("{", "%7B").replace("}", "%7D"))) {
            for (String path : List.of("/v1/files/", "/v1/models/", JOBS + "/")) {
                for (String end : List.of("", "/content", "/events", "/checkpoints?after=" + id)) {
                    requireNoFailure(server.get(path + id + end), path + id + end);
                }
                requireNoFailure(server.delete(path + id), "DELETE " + path + id);
                requireNoFailure(server.post(path + id + "/pause", "{}"), "pause " + path + id);
            }
        }
        for (String query : List.of("limit=-1", "limit=99999999999999999999", "limit=1&limit=2", "after=%27",
                "order=DROP", "metadata%5B%5D=a", "metadata%5B%27%5D=%27", "metadata%5Ba%5D", "purpose=%25")) {
            requireNoFailure(server.get("/v1/files?" + query), query);
            requireNoFailure(server.get(JOBS + "?" + query), query);
        }
    }

    /** A request that comes byte by byte is answered, and no other request waits for it. */
    @Test
    void slowRequestsAreAnsweredAndKeepNobodyWaiting() throws IOException {
        byte[] request = ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Connection: close\r\nContent-Length: 2\r\n\r\n{}").getBytes(StandardCharsets.ISO_8859_1);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(60_000);
            for (int i = 0; i < request.length; i++) {
                socket.getOutputStream().write(request[i]);
                if (i % 20 == 0) {
                    assertEquals(200, server.get("/v1/models").status());
                }
            }
            String reply = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(reply.startsWith("HTTP/1.1 400") && reply.contains("Missing required parameter"), reply);
        }
    }

    @Test
    void bodiesThatAreTooLargeAreRefusedWithoutBeingKept() {
        String text = "x".repeat(17 << 20);
        for (String path : List.of("/v1/chat/completions", JOBS, "/v1/embeddings")) {
            assertEquals(413, server.post(path, "{\"model\": \"" + text + "\"}").status(), path);
        }
    }

    /** Connections that say nothing more do not keep others from being answered. */
    @Test
    void halfOpenConnectionsKeepNobodyOut() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
                sockets.add(socket);
                socket.getOutputStream().write(("POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        + "multipart/form-data; boundary=frontier\r\nContent-Length: 1000000\r\n").getBytes(
                                StandardCharsets.ISO_8859_1));
            }
            assertEquals(200, server.get("/v1/models").status());
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
