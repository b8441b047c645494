package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server with 512 MB of Java's memory, attacked in every way that is known to have brought it down, with honest
 * clients beside. {@code -Dpeft4j.attack.seconds=600} for longer; what was measured is printed.
 */
@Tag("full")
class UnderAttackTest {
    private static final int SECONDS = Integer.getInteger("peft4j.attack.seconds", 10);
    /** As the launcher has it. */
    private static final String[] MEMORY = {"-Xmx512m", "-XX:+UseSerialGC", "-Xms48m", "-Xmn16m",
        "-XX:MinHeapFreeRatio=25", "-XX:MaxHeapFreeRatio=40"};
    private static final int HONEST = 50;
    private static final int DRIPPING = 300;
    private static final String CHAT = "{\"model\": \"tiny-llama\", \"max_tokens\": 4, \"messages\": [{\"role\": "
            + "\"user\", \"content\": \"%s\"}]%s}";
    private static final List<String> BOMBS = List.of("{\"type\":\"string\",\"minLength\":1000000000}",
            "{\"type\":\"string\",\"maxLength\":1000000}", "{\"type\":\"string\",\"pattern\":\"^(.{0,900}(a|b).{0,900})"
                    + "{1,900}x%d$\"}",
            "{\"type\":\"string\",\"pattern\":\"^((a*)*b?)*%d$\"}",
            "{\"type\":\"array\",\"minItems\":100000,\"items\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"string\"}]}}");

    @TempDir
    private Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Map<String, Integer> replies = new ConcurrentHashMap<>();
    private final byte[] question = chat("Who is there?", "");
    private String url;
    private String guest;
    private String attacker;

    private int ask() throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60)).header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + guest).POST(BodyPublishers.ofByteArray(question)).build(),
                BodyHandlers.ofString()).statusCode();
    }

    /** What is sent for an attack, by a connection of its own. */
    private byte[] request(String path, byte[] body, String type) {
        byte[] head = ("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
                + attacker + "\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return request;
    }

    /**
     * Sends it as cheaply as can be, since the attackers share the processors with the server; gives status line and
     * reply.
     */
    private String send(byte[] request) throws IOException {
        URI address = URI.create(url);
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(request);
            String reply = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (reply.isEmpty()) {
                throw new EOFException("no reply");
            }
            return reply;
        }
    }

    private static byte[] chat(String text, String more) {
        return String.format(CHAT, text, more).getBytes(StandardCharsets.UTF_8);
    }

    private byte[] chatRequest(byte[] chat) {
        return request("/v1/chat/completions", chat, "application/json");
    }

    /** What honest clients see: how long answers and health take, in milliseconds, and what was no answer. */
    private record Seen(List<Long> answers, List<Long> health, List<String> failures) {
        static long at(List<Long> times, double share) {
            List<Long> sorted = times.stream().sorted().toList();
            return sorted.isEmpty() ? -1 : sorted.get((int) Math.min(sorted.size() - 1, share * sorted.size()));
        }

        /** Milliseconds an answer. */
        long share(Duration time) {
            return time.toMillis() / Math.max(1, answers.size());
        }

        @Override
        public String toString() {
            return answers.size() + " answers in " + at(answers, 0.5) + " ms (95 %: " + at(answers, 0.95) + "), "
                    + health.size() + " times health in " + at(health, 0.5) + " ms (longest: " + at(health, 1) + "), "
                    + failures.size() + " failures " + failures.stream().distinct().limit(5).toList();
        }
    }

    private interface Action {
        void run() throws IOException, InterruptedException;
    }

    private Thread repeat(String name, Action action) {
        Thread thread = new Thread(() -> {
            while (!over.get()) {
                try {
                    action.run();
                } catch (IOException e) {
                    replies.merge(name + " " + e.getClass().getSimpleName(), 1, Integer::sum);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void count(String name, String reply) {
        replies.merge(name + " " + reply.split(" ", 3)[1], 1, Integer::sum);
    }

    private Seen honest(int seconds) throws InterruptedException {
        ConcurrentLinkedQueue<Long> answers = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Long> health = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
        AtomicBoolean done = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i <= HONEST; i++) {
            boolean looks = i == HONEST;
            Thread thread = new Thread(() -> {
                while (!done.get()) {
                    long begin = System.nanoTime();
                    try {
                        int status = looks ? client.send(HttpRequest.newBuilder(URI.create(url + "/health"))
                                .timeout(Duration.ofSeconds(30)).build(), BodyHandlers.discarding()).statusCode()
                                : ask();
                        if (status == 200) {
                            (looks ? health : answers).add((System.nanoTime() - begin) / 1_000_000);
                        } else {
                            failures.add((looks ? "health " : "answer ") + status);
                        }
                        Thread.sleep(looks ? 100 : 1000);
                    } catch (IOException e) {
                        failures.add((looks ? "health " : "answer ") + e);
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        Thread.sleep(seconds * 1000L);
        done.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        return new Seen(List.copyOf(answers), List.copyOf(health), List.copyOf(failures));
    }

    private void attack() throws IOException {
        for (int i = 0; i < DRIPPING; i++) {
            repeat("drip", this::drip);
        }
        byte[] prompt = chatRequest(chat("1-".repeat(2_000_000), ""));
        byte[] nested = chatRequest(("{\"model\": " + "[".repeat(500) + "[],".repeat(4_000_000) + "1")
                .getBytes(StandardCharsets.UTF_8));
        byte[] bomb = bomb();
        for (int i = 0; i < 4; i++) {
            repeat("prompt", () -> count("prompt", send(prompt)));
            repeat("schema", () -> schema("schema", String.format(BOMBS.get(ThreadLocalRandom.current()
                    .nextInt(BOMBS.size())), ThreadLocalRandom.current().nextInt(1000))));
        }
        for (int i = 0; i < 2; i++) {
            repeat("nested", () -> count("nested", send(nested)));
            repeat("upload", () -> train("", bomb));
        }
        repeat("adapter", () -> adapter("adapter"));
    }

    private void schema(String name, String schema) throws IOException {
        count(name,
                send(chatRequest(
                        chat("x", ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": "
                                + "\"s\", \"schema\": " + schema + "}}"))));
    }

    private void train(String name, byte[] form) throws IOException {
        String file = send(request("/v1/files", form, "multipart/form-data; boundary=frontier"));
        count(name + "upload", file);
        String id = file.replaceAll("(?s).*\"id\":\"([^\"]+)\".*", "$1");
        count(name + "job",
                send(request("/v1/fine_tuning/jobs", ("{\"model\": \"tiny-llama\", \"training_file\": \"" + id
                        + "\"}").getBytes(StandardCharsets.UTF_8), "application/json")));
    }

    private void adapter(String name) throws IOException {
        count(name, send(request("/v1/load_lora_adapter", ("{\"lora_name\": \"a" + System.nanoTime()
                + "\", \"lora_path\": \"lora\"}").getBytes(StandardCharsets.UTF_8), "application/json")));
    }

    /** Each thing once as honest clients do it: what the server loads of itself for it is no memory of the attack. */
    private void warmUp() throws IOException, InterruptedException {
        schema("honest schema", "{\"type\":\"string\"}");
        count("honest prompt", send(chatRequest(chat("1-".repeat(20_000), ""))));
        train("honest ", TestServer.form("fine-tune", "rows.jsonl", TestServer.rows(0, 20)));
        adapter("honest adapter");
        honest(10);
    }

    private void drip() throws IOException, InterruptedException {
        URI address = URI.create(url);
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            OutputStream out = socket.getOutputStream();
            out.write(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 100000\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            while (!over.get()) {
                out.write(' ');
                out.flush();
                Thread.sleep(2000);
            }
        }
    }

    /** A form with a file of some hundred kilobytes that unpacks to 600 MB. */
    private static byte[] bomb() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        byte[] rows = TestServer.rows(0, 1).repeat(1 << 13).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = new GZIPOutputStream(packed)) {
            for (long written = 0; written < 600 << 20; written += rows.length) {
                out.write(rows);
            }
        }
        ByteArrayOutputStream form = new ByteArrayOutputStream();
        String head = new String(TestServer.form("fine-tune", "rows.jsonl.gz", "|"), StandardCharsets.UTF_8);
        form.write(head.substring(0, head.indexOf('|')).getBytes(StandardCharsets.UTF_8));
        form.write(packed.toByteArray());
        form.write(head.substring(head.indexOf('|') + 1).getBytes(StandardCharsets.UTF_8));
        return form.toByteArray();
    }

    private long resident() throws IOException, InterruptedException {
        String metrics = client.send(HttpRequest.newBuilder(URI.create(url + "/metrics"))
                .header("Authorization", "Bearer " + guest).build(),
                BodyHandlers.ofString()).body();
        return Arrays.stream(metrics.split("\n")).filter(line -> line.startsWith("process_resident_memory_bytes "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf(' ') + 1)) >> 20).findFirst()
                .orElse(-1);
    }

    /** The memory that is left; in a longer run when it is as before again, or half a minute later. */
    private long settled(long before) throws IOException, InterruptedException {
        long now = resident();
        for (int seconds = 0; SECONDS > 10 && seconds < 30 && now > 1.1 * before; seconds++) {
            Thread.sleep(1000);
            now = resident();
        }
        return now;
    }

    @Test
    void honestClientsAreAnswered() throws IOException, InterruptedException {
        Path log = folder.resolve("server.log");
        try (ServerKeys keys = ServerKeys.open(folder.resolve("data"), Optional.empty())) {
            guest = keys.add("guest", ServerKeys.Limits.NONE);
            attacker = keys.add("attacker", ServerKeys.Limits.NONE);
        }
        try (ServerProcess server = ServerProcess.start(folder.resolve("data"), Optional.empty(), log, MEMORY)) {
            url = server.url();
            warmUp();
            Duration begin = server.processorTime();
            Seen alone = honest(SECONDS);
            Duration quiet = server.processorTime().minus(begin);
            long before = resident();
            attack();
            Thread.sleep(2000);
            begin = server.processorTime();
            Seen attacked = honest(SECONDS);
            Duration busy = server.processorTime().minus(begin);
            long during = resident();
            over.set(true);
            Thread.sleep(10_000);
            Seen afterwards = honest(5);
            System.out.println("alone: " + alone + "\nattacked: " + attacked + "\nafterwards: " + afterwards
                    + "\nprocessor time an answer: " + alone.share(quiet) + " ms, " + attacked.share(busy) + " ms"
                    + "\nresident: " + before + " MB, " + during + " MB, " + settled(before) + " MB\nreplies: "
                    + replies);
            assertFalse(Files.readString(log).contains("OutOfMemoryError"), () -> "the log has an OutOfMemoryError");
            assertFalse(attacked.answers().isEmpty(), attacked.toString());
            assertEquals(List.of(), attacked.failures().stream().filter(failure -> failure.startsWith("health ")
                    || failure.endsWith(" 500")).toList());
            assertEquals(List.of(), afterwards.failures());
            assertTrue(replies.keySet().stream().noneMatch(key -> key.endsWith(" 500")), replies.toString());
        }
    }
}
