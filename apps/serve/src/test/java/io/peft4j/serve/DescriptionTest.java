package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.serve.TestServer.Reply;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the server says of itself: its routes, its figures, its ids of requests. */
class DescriptionTest {
    @TempDir
    Path data;

    /** A route that is described and not there would be refused as unknown. */
    @Test
    void everyRouteThatIsDescribedIsThere() {
        try (TestServer server = TestServer.start(data)) {
            JsonNode description = server.get("/openapi.json").body();
            assertTrue(description.get("openapi").asText().startsWith("3."));
            assertTrue(description.get("paths").size() > 12);
            description.findValuesAsText("$ref").forEach(schema -> assertFalse(description.at(schema.substring(1))
                    .isMissingNode(), schema));
            Set<String> told = new TreeSet<>(description.findValuesAsText("operationId"));
            assertEquals(told.size(), description.findValuesAsText("operationId").size(), "ids are unique");
            description.get("paths").properties().forEach(path -> path.getValue().properties().forEach(method -> {
                String place = path.getKey().replaceAll("\\{\\w+}", "nothing");
                Reply reply = server.send(HttpRequest.newBuilder(server.uri(place)).method(method.getKey()
                        .toUpperCase(Locale.ROOT), BodyPublishers.noBody()));
                String what = method.getKey() + " " + place + ": " + reply;
                assertFalse(reply.status() >= 500 || reply.status() == 405, what);
                assertFalse(reply.error().path("code").asText().equals("unknown_url"), what);
            }));
        }
    }

    @Test
    void figuresGoByRouteAndNotByWhatStoodInIt() {
        try (TestServer server = TestServer.start(data)) {
            server.get("/v1/files/file-secret");
            server.get("/nowhere/secret");
            String figures = server.get("/metrics").body().asText();
            assertTrue(figures.contains("http_server_requests_seconds_count{method=\"GET\",route=\"/v1/files/{id}\","
                    + "status=\"404\"} 1"), figures);
            assertTrue(figures.contains("peft4j_jobs{status=\"running\"} 0.0"), figures);
            assertFalse(figures.contains("secret"), figures);
        }
    }

    @Test
    void everyReplyHasAnIdOfItsOwn() {
        try (TestServer server = TestServer.start(data)) {
            String first = server.get("/health").headers().firstValue("X-Request-Id").orElseThrow();
            Reply refused = server.get("/nowhere");
            assertEquals(404, refused.status());
            assertFalse(first.equals(refused.headers().firstValue("X-Request-Id").orElseThrow()));
        }
    }

    @ParameterizedTest
    @CsvSource({"POST, /chat/completions, /v1/chat/completions", "POST, /v1/file, /v1/files",
        "GET, /v1/fine-tuning/jobs, /v1/fine_tuning/jobs"})
    void aRouteThatIsNotThereHasNearOnes(String method, String path, String near) {
        try (TestServer server = TestServer.start(data)) {
            Reply reply = server.send(HttpRequest.newBuilder(server.uri(path)).method(method,
                    BodyPublishers.ofString("{}")));
            assertEquals(404, reply.status());
            assertEquals("unknown_url", reply.error().path("code").asText());
            String message = reply.error().path("message").asText();
            assertTrue(message.startsWith("unknown request URL: " + method + " " + path + "; the nearest"), message);
            assertTrue(message.contains("'" + near + "'"), message);
        }
    }

    @Test
    void aMethodThatARouteDoesNotTakeIsToldWhichItDoes() {
        try (TestServer server = TestServer.start(data)) {
            Reply reply = server.get("/v1/chat/completions");
            assertEquals(405, reply.status());
            assertEquals("POST", reply.headers().firstValue("Allow").orElseThrow());
            assertEquals("not allowed: GET /v1/chat/completions; this URL takes POST",
                    reply.error().path("message").asText());
            assertEquals("DELETE, GET, HEAD", server.post("/v1/models/tiny-llama", "{}").headers().firstValue("Allow")
                    .orElseThrow());
        }
    }

    /** A client that looks whether something is there would be told that everything is. */
    @Test
    void headIsWhatGetIsWithoutABody() {
        try (TestServer server = TestServer.start(data)) {
            for (String path : List.of("/health", "/", "/v1/files", "/v1/models/tiny-llama", "/v1/models/nobody",
                    "/v1/files/file-nothing", "/v1/files/file-nothing/content", "/nowhere")) {
                Reply head = server.send(HttpRequest.newBuilder(server.uri(path)).method("HEAD",
                        BodyPublishers.noBody()));
                Reply get = server.get(path);
                assertEquals(get.status(), head.status(), path);
                assertEquals(get.headers().firstValue("Content-Type"), head.headers().firstValue("Content-Type"), path);
                assertTrue(head.body().isEmpty() || head.body().asText().isEmpty(), head.toString());
            }
        }
    }
}
