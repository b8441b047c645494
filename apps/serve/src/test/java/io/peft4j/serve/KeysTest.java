package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.TestServer.Reply;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may come in, how far, and until when. */
class KeysTest {
    @TempDir
    Path data;

    private static Reply models(TestServer server, String key) {
        return server.send(HttpRequest.newBuilder(server.uri("/v1/models")).header("Authorization", "Bearer " + key));
    }

    private ServerKeys keys() {
        return ServerKeys.open(data, Optional.empty());
    }

    @Test
    void whatOthersCanReachNeedsAKey() {
        assertThrows(ConfigurationException.class, () -> TestServer.start(data, builder -> builder.host("0.0.0.0")));
        try (ServerKeys keys = keys()) {
            assertFalse(keys.firstShutsClientsOut(), "there are none");
            keys.add("team", ServerKeys.Limits.NONE);
        }
        try (TestServer server = TestServer.start(data, builder -> builder.host("0.0.0.0"))) {
            assertEquals(401, server.get("/v1/models").status());
            assertEquals(200, server.get("/health").status());
        }
    }

    @Test
    void aStoredKeyOpensUntilItIsRevoked() throws IOException, InterruptedException {
        try (TestServer server = TestServer.start(data); ServerKeys keys = keys()) {
            assertEquals(200, server.get("/v1/models").status());
            assertTrue(keys.firstShutsClientsOut());
            String secret = keys.add("team", ServerKeys.Limits.NONE);
            assertFalse(keys.firstShutsClientsOut());
            Thread.sleep(1100);
            Reply refused = server.get("/v1/models");
            assertEquals(401, refused.status());
            assertTrue(refused.error().get("message").asText().contains("This server asks for keys since "
                    + keys.list().get(0).created() + ", when its first was made"), refused.toString());
            assertEquals(401, models(server, "sk-wrong").status());
            assertEquals(200, models(server, secret).status());
            assertEquals(200, server.send(HttpRequest.newBuilder(server.uri("/v1/models")).header("Authorization",
                    "bearer " + secret)).status(), "HTTP knows schemes in any case");
            assertEquals("team", keys.list().get(0).name());
            assertFalse(isAnywhere(secret), "the key itself is not kept");
            assertEquals(1, keys.revoke("team"));
            assertEquals(0, keys.revoke("team"));
            keys.add("other", ServerKeys.Limits.NONE);
            Thread.sleep(1100);
            assertEquals(401, models(server, secret).status());
        }
    }

    @Test
    void withoutItsLastKeyTheServerStaysClosed() throws InterruptedException {
        try (ServerKeys keys = keys()) {
            String secret = keys.add("team", ServerKeys.Limits.NONE);
            try (TestServer server = TestServer.start(data, builder -> builder.host("0.0.0.0"))) {
                assertEquals(200, models(server, secret).status());
                assertEquals(1, keys.revoke("team"));
                Thread.sleep(1100);
                assertEquals(401, models(server, secret).status());
                assertEquals(401, server.get("/v1/models").status());
                assertEquals(200, models(server, keys.add("other", ServerKeys.Limits.NONE)).status());
            }
            keys.revoke("other");
        }
        // Nor could anybody come in after a start.
        assertThrows(ConfigurationException.class, () -> TestServer.start(data, builder -> builder.host("0.0.0.0")));
    }

    private boolean isAnywhere(String secret) throws IOException {
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(secret)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Test
    void limitsOfAKeyHold() {
        try (TestServer server = TestServer.start(data); ServerKeys keys = keys()) {
            String slow = keys.add("slow", new ServerKeys.Limits(Optional.of(2L), Optional.empty(), Optional.empty(),
                    Optional.empty()));
            assertEquals(200, models(server, slow).status());
            assertEquals(200, models(server, slow).status());
            Reply third = models(server, slow);
            // The minute may have turned.
            assertTrue(third.status() == 429 || models(server, slow).status() == 200
                    && models(server, slow).status() == 429, third.toString());
            if (third.status() == 429) {
                assertEquals("rate_limit_exceeded", third.error().get("code").asText());
                assertTrue(Integer.parseInt(third.headers().firstValue("Retry-After").orElseThrow()) <= 60);
            }
            String small = keys.add("small", new ServerKeys.Limits(Optional.empty(), Optional.empty(),
                    Optional.of(1L), Optional.of(3000L)));
            Reply first = upload(server, small, TestServer.rows(0, 12));
            assertEquals(200, first.status(), first.toString());
            assertEquals(403, upload(server, small, TestServer.rows(0, 20)).status());
            String job = "{\"model\": \"tiny-llama\", \"training_file\": \"" + first.get("id").asText() + "\"}";
            assertEquals(200, jobBy(server, small, job).status());
            assertEquals(429, jobBy(server, small, job).status());
        }
    }

    @Test
    void tokensOfAnswersCountAgainstTheLimit() {
        try (TestServer server = TestServer.start(data); ServerKeys keys = keys()) {
            String key = keys.add("few", new ServerKeys.Limits(Optional.empty(), Optional.of(20L), Optional.empty(),
                    Optional.empty()));
            Reply first = chat(server, key);
            assertEquals(200, first.status(), first.toString());
            assertTrue(first.body().at("/usage/total_tokens").asInt() > 20);
            Reply second = chat(server, key);
            assertEquals(429, second.status());
            assertEquals("insufficient_quota", second.error().get("code").asText());
        }
    }

    private static Reply chat(TestServer server, String key) {
        return server.send(HttpRequest.newBuilder(server.uri("/v1/chat/completions")).header("Authorization", "Bearer "
                + key).POST(HttpRequest.BodyPublishers.ofString(
                        "{\"model\": \"tiny-llama\", \"max_tokens\": 8, "
                                + "\"messages\": [{\"role\": \"user\", \"content\": \"Who is there?\"}]}")));
    }

    private static Reply upload(TestServer server, String key, String rows) {
        return server.send(server.upload(TestServer.form("fine-tune", "a", rows)).header("Authorization", "Bearer "
                + key));
    }

    private static Reply jobBy(TestServer server, String key, String json) {
        return server.send(HttpRequest.newBuilder(server.uri("/v1/fine_tuning/jobs"))
                .header("Authorization", "Bearer " + key).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    /** A step of the wall clock, however far, lets no revoked key in for longer. */
    @Test
    void aRevokedKeyIsShutWithinASecondWhateverTheClockSays() {
        AtomicLong passed = new AtomicLong();
        AtomicReference<Instant> wall = new AtomicReference<>(Instant.parse("2026-05-01T12:00:00Z"));
        Clock clock = new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return wall.get();
            }
        };
        try (TestServer server = TestServer.start(data, builder -> builder.clock(clock).nanos(passed::get));
                ServerKeys keys = keys()) {
            String secret = keys.add("team", ServerKeys.Limits.NONE);
            assertEquals(200, models(server, secret).status());
            wall.set(wall.get().minusSeconds(3600));
            keys.revoke("team");
            passed.addAndGet(1_000_000_000);
            assertEquals(401, models(server, secret).status());
            assertEquals(401, server.get("/v1/models").status());
        }
    }

    /** Uploads that come at once would each find the room that only one of them can have. */
    @Test
    void uploadsAtOnceKeepNoMoreThanTheKeyMay() throws Exception {
        String rows = TestServer.rows(0, 5);
        long most = rows.length() + 100;
        try (TestServer server = TestServer.start(data); ServerKeys keys = keys()) {
            String key = keys.add("small", new ServerKeys.Limits(Optional.empty(), Optional.empty(),
                    Optional.of(2L), Optional.of(most)));
            List<Integer> uploads = atOnce(20, () -> upload(server, key, rows));
            assertEquals(1, Collections.frequency(uploads, 200), uploads.toString());
            assertEquals(19, Collections.frequency(uploads, 403), uploads.toString());
            try (Stream<Path> files = Files.list(data.resolve("files"))) {
                assertEquals(1, files.count());
            }
            String file = server.send(HttpRequest.newBuilder(server.uri("/v1/files")).header("Authorization",
                    "Bearer " + key)).get("data").get(0).get("id").asText();
            List<Integer> jobs = atOnce(20, () -> jobBy(server, key, "{\"model\": \"tiny-llama\", \"training_file\": \""
                    + file + "\"}"));
            assertEquals(2, Collections.frequency(jobs, 200), jobs.toString());
            assertEquals(18, Collections.frequency(jobs, 429), jobs.toString());
        }
    }

    private static List<Integer> atOnce(int count, Callable<Reply> request) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Integer> statuses = new ArrayList<>();
            for (Future<Reply> reply : threads.invokeAll(Collections.nCopies(count, request))) {
                statuses.add(reply.get().status());
            }
            return statuses;
        } finally {
            threads.shutdownNow();
        }
    }

    /** A page of another site can make a browser send requests to this machine. */
    @Test
    void pagesOfOtherSitesAreNotAnswered() {
        try (TestServer server = TestServer.start(data)) {
            Reply other = server.send(HttpRequest.newBuilder(server.uri("/v1/models")).header("Origin",
                    "https://evil.example"));
            assertEquals(403, other.status());
            assertTrue(other.headers().firstValue("Access-Control-Allow-Origin").isEmpty());
            assertEquals(200, server.send(HttpRequest.newBuilder(server.uri("/v1/models")).header("Origin",
                    server.url())).status());
        }
    }
}
