package io.peft4j.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.http.Context;
import io.peft4j.core.engine.WorkShare;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bodies that stall, are large or many, and routes that fail or wait: who is honest beside them is answered. */
class RequestGateTest {
    private static final int THREADS = 4;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final CountDownLatch waiting = new CountDownLatch(THREADS);
    private final CountDownLatch open = new CountDownLatch(1);
    private final Set<String> clients = ConcurrentHashMap.newKeySet();
    private final List<Socket> sockets = new ArrayList<>();
    private final Failures failures = new Failures();
    private HttpServer server = server(300_000, Duration.ofSeconds(1));

    /** What was reported, none of which is that the disk is full. */
    private static final class Failures {
        private final Queue<Throwable> all = new ConcurrentLinkedQueue<>();

        boolean add(Throwable failure) {
            all.add(failure.getCause());
            return false;
        }
    }

    private HttpServer server(long bytes, Duration time) {
        return new HttpServer("127.0.0.1", 0, RequestGateTest::caller, new ServerMetrics(), failures::add,
                new WorkShare(), List.of(this::addTo),
                new RequestGate.Limits(THREADS, bytes, new WatchedRequest.Rate(1000, time)));
    }

    private static Caller caller(Context request) {
        return Optional.ofNullable(request.header("X-Client")).map(Caller::unlimited).orElse(Caller.LOCAL);
    }

    /** Long work that ends when that of another client has begun. */
    private void untilAnother(Context request) {
        clients.add(Caller.of(request).id());
        for (int i = 0; i < 1000 && clients.size() < 2; i++) {
            long end = System.nanoTime() + 11_000_000;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            LongRequests.requireClient(request);
        }
        request.result(String.valueOf(clients.size()));
    }

    private void addTo(Routes routes) {
        Operation any = Operation.of("any", "Any").reply(Operation.OBJECT);
        routes.get("/health", any, request -> Bodies.reply(request, Json.object().put("status", "ok")));
        routes.post("/length", any, request -> request.result(String.valueOf(Bodies.text(request).length())));
        routes.post("/wait", any, request -> {
            waiting.countDown();
            open.await();
            request.result("done");
        });
        routes.post("/pieces", any, this::untilAnother);
        routes.post("/object", any, request -> request.result(String.valueOf(Bodies.object(request).size())));
        routes.post("/deep", any, request -> request.result(String.valueOf(deep(1))));
        routes.post("/v1/systemone", any, request -> {
            throw new IllegalStateException("broken", new IOException("broken"));
        });
        routes.post("/full", any, request -> {
            throw new OutOfMemoryError("no room");
        });
    }

    private static int deep(int depth) {
        return 1 + deep(depth + 1) * 3;
    }

    @AfterEach
    void stop() throws IOException {
        open.countDown();
        for (Socket socket : sockets) {
            socket.close();
        }
        server.close();
    }

    private URI uri(String path) {
        return URI.create(server.url() + path);
    }

    private HttpResponse<String> post(String path, String body) {
        try {
            return CLIENT.send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.ofString(body)).build(),
                    BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> reply) throws IOException {
        return Json.parse(reply.body().getBytes(StandardCharsets.UTF_8));
    }

    private int health() throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(uri("/health")).build(), BodyHandlers.discarding()).statusCode();
    }

    /** A request that says how long its body is, and sends a part of it. */
    private Socket begin(String type, int length, int sent) throws IOException {
        return begin("/length", type, length, sent);
    }

    private Socket begin(String path, String type, int length, int sent) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        sockets.add(socket);
        socket.setSoTimeout(60_000);
        OutputStream out = socket.getOutputStream();
        out.write(("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type + "\r\nContent-Length: "
                + length
                + "\r\n\r\n" + "x".repeat(sent)).getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return socket;
    }

    private static String reply(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void bodiesThatStallHoldNoThreadAndEndWithStatus408() throws Exception {
        for (int i = 0; i < 100; i++) {
            begin("application/json", 5000, i % 10);
        }
        assertEquals("11", post("/length", "hello there").body());
        assertEquals(200, health());
        for (Socket socket : sockets) {
            String reply = reply(socket);
            assertTrue(reply.startsWith("HTTP/1.1 408 ") && reply.contains("fewer than 1000 bytes in 1 s"), reply);
        }
        assertEquals("11", post("/length", "hello there").body());
    }

    @Test
    void anUploadThatStallsEndsForTheThreadThatReadsIt() throws Exception {
        Socket socket = begin("multipart/form-data; boundary=b", 5000, 20);
        String reply = reply(socket);
        assertTrue(reply.startsWith("HTTP/1.1 408 "), reply);
        assertEquals(200, health());
    }

    @Test
    void aBodyThatComesInPiecesIsRead() throws Exception {
        Socket socket = begin("application/json", 5000, 1);
        for (int i = 1; i < 5000; i += 7) {
            Thread.sleep(1);
            socket.getOutputStream().write("x".repeat(Math.min(7, 5000 - i)).getBytes(StandardCharsets.US_ASCII));
        }
        socket.shutdownOutput();
        String reply = reply(socket);
        assertTrue(reply.startsWith("HTTP/1.1 200 ") && reply.endsWith("5000"), reply);
    }

    @Test
    void theLargestBodyGivesWayWhereMemoryIsShort() throws Exception {
        server.close();
        server = server(300_000, Duration.ofMinutes(1));
        Socket largest = begin("application/json", 280_000, 250_000);
        // One that came second would be read to its end before it is refused, and the end never comes.
        assertEquals(200, health());
        begin("application/json", 130_000, 120_000);
        String reply = reply(largest);
        assertTrue(reply.startsWith("HTTP/1.1 503 ") && reply.contains("Retry-After: 1"), reply);
        assertEquals("60000", post("/length", "y".repeat(60_000)).body());
    }

    @Test
    void aBodyForWhichThereIsNoMemoryIsRefused() throws Exception {
        begin("/wait", "text/plain", 250_000, 250_000);
        while (waiting.getCount() == THREADS) {
            Thread.sleep(5);
        }
        String reply = reply(begin("application/json", 200_000, 200_000));
        assertTrue(reply.startsWith("HTTP/1.1 503 ") && reply.contains("Retry-After: 1"), reply);
        assertEquals("9", post("/length", chars(9)).body());
    }

    @Test
    void healthIsAnsweredWhileAllOthersWait() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            all.add(CLIENT.sendAsync(HttpRequest.newBuilder(uri("/wait")).POST(BodyPublishers.ofString("{}")).build(),
                    BodyHandlers.ofString()));
        }
        waiting.await();
        HttpResponse<String> refused = post("/length", "hello");
        assertEquals(429, refused.statusCode());
        assertEquals("1", refused.headers().firstValue("Retry-After").orElse(""));
        assertEquals(json(refused).at("/error/message"), json(post("/v1/systemone", "{}")).get("detail"));
        assertEquals(200, health());
        open.countDown();
        for (CompletableFuture<HttpResponse<String>> each : all) {
            assertEquals("done", each.join().body());
        }
        assertEquals("5", post("/length", "hello").body());
    }

    /** None is reset, though all of them connect before the first is answered. */
    @Test
    void fourHundredClientsAtOnceAreAnswered() throws Exception {
        byte[] request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".getBytes(
                StandardCharsets.US_ASCII);
        for (int i = 0; i < 400; i++) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
            sockets.add(socket);
            socket.setSoTimeout(60_000);
        }
        for (Socket socket : sockets) {
            socket.getOutputStream().write(request);
        }
        for (Socket socket : sockets) {
            String reply = reply(socket);
            assertTrue(reply.startsWith("HTTP/1.1 200 "), reply);
        }
    }

    @Test
    void errorsOfTheJvmAreErrorObjects() throws Exception {
        HttpResponse<String> deep = post("/deep", "{}");
        HttpResponse<String> full = post("/full", "{}");
        assertEquals(List.of(500, 503), List.of(deep.statusCode(), full.statusCode()));
        assertEquals("server_error", json(deep).at("/error/type").asText());
        assertTrue(json(full).at("/error/message").asText().contains("too little memory"), full.body());
        assertEquals(List.of(StackOverflowError.class, OutOfMemoryError.class), failures.all.stream()
                .map(Object::getClass).toList());
        assertEquals(200, health());
    }

    @Test
    void failuresOfSystemOneAreDetails() throws Exception {
        HttpResponse<String> reply = post("/v1/systemone", "{}");
        assertEquals(500, reply.statusCode());
        assertTrue(json(reply).get("detail").asText().startsWith("internal error"), reply.body());
    }

    @Test
    void aBodyOfTooManyListsIsRefused() {
        server.close();
        server = server(1 << 20, Duration.ofMinutes(1));
        assertEquals("1", post("/object", "{\"a\": [" + "[],".repeat(99_000) + "1]}").body());
        HttpResponse<String> refused = post("/object", "{\"a\": [" + "[],".repeat(100_000) + "1]}");
        assertEquals(400, refused.statusCode());
        assertTrue(refused.body().contains("more than 100000 lists and objects"), refused.body());
    }

    private static String chars(int count) {
        return "\"" + "x".repeat(count - 2) + "\"";
    }

    @Test
    void longBodiesWaitForTheirTurnAndShortOnesDoNot() throws Exception {
        CompletableFuture<HttpResponse<String>> first = CLIENT.sendAsync(HttpRequest.newBuilder(uri("/wait"))
                .POST(BodyPublishers.ofString(chars(20_000))).build(), BodyHandlers.ofString());
        while (waiting.getCount() == THREADS) {
            Thread.sleep(5);
        }
        CompletableFuture<HttpResponse<String>> behind = CLIENT.sendAsync(HttpRequest.newBuilder(uri("/length"))
                .POST(BodyPublishers.ofString(chars(20_000))).build(), BodyHandlers.ofString());
        assertEquals("9", post("/length", chars(9)).body());
        Thread.sleep(200);
        assertFalse(behind.isDone());
        open.countDown();
        assertEquals("20000", behind.join().body());
        assertEquals("done", first.join().body());
    }

    @Test
    void longRequestsOfSeveralClientsGoOnPieceByPiece() {
        List<CompletableFuture<HttpResponse<String>>> both = Stream.of("a", "b")
                .map(client -> CLIENT.sendAsync(HttpRequest
                        .newBuilder(uri("/pieces")).header("X-Client", client)
                        .POST(BodyPublishers.ofString(chars(20_000)))
                        .build(), BodyHandlers.ofString()))
                .toList();
        both.forEach(each -> assertEquals("2", each.join().body()));
    }

    @Test
    void aClientThatLeavesGivesUpItsTurn() throws Exception {
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            held.add(begin("/wait", "text/plain", 20_000, 20_000));
        }
        while (waiting.getCount() == THREADS) {
            Thread.sleep(5);
        }
        for (Socket socket : held) {
            socket.close();
        }
        open.countDown();
        assertEquals("20000", post("/length", chars(20_000)).body());
    }
}
