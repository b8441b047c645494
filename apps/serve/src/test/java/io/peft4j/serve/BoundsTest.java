package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.TestServer.Reply;
import io.peft4j.serve.answer.AnsweringOptions;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.model.MergedFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each route takes the largest request that its bounds allow, and refuses one byte more. */
class BoundsTest {
    private static final String GRADERS = "/v1/fine_tuning/alpha/graders/";

    @TempDir
    static Path data;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        Path adapters = Files.createDirectories(data.resolve("adapters"));
        server = TestServer.start(data.resolve("server"), builder -> builder.answering(AnsweringOptions
                .defaults().withAdapterRoots(adapters)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String body(long bytes) {
        String around = "{\"pad\": \"\"}";
        return "{\"pad\": \"" + "x".repeat((int) bytes - around.length()) + "\"}";
    }

    @Test
    void everyRouteTakesABodyOfItsSizeAndNoByteMore() {
        String file = server.upload(TestServer.rows(0, 1));
        List<String> flooded = new ArrayList<>();
        server.get("/openapi.json").get("paths").properties().forEach(path -> {
            JsonNode body = path.getValue().path("post").path("requestBody");
            if (body.path("content").has("application/json")) {
                String place = path.getKey().replaceAll("\\{\\w+}", file);
                long most = body.path("x-max-bytes").asLong();
                assertTrue(most > 0 && most <= Bound.JSON_BYTES.most(), place + ": " + most);
                Reply largest = server.post(place, body(most));
                assertTrue(largest.status() < 500 && largest.status() != 413, place + ": " + largest);
                assertEquals(413, server.post(place, body(most + 1)).status(), place);
                flooded.add(place);
            }
        });
        assertTrue(flooded.size() > 12, flooded.toString());
    }

    /** A request whose first line and headers have so many bytes: of a header, or of what the path has a '*' for. */
    private static String head(String path, int bytes) throws IOException {
        String around = "GET " + path.replace("*", "") + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: "
                + "\r\n\r\n";
        String much = "a".repeat(bytes - around.length());
        boolean inPath = path.contains("*");
        String request = "GET " + path.replace("*", inPath ? much : "") + " HTTP/1.1\r\nHost: localhost\r\n"
                + "Connection: close\r\nX: " + (inPath ? "" : much) + "\r\n\r\n";
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Its headers, ids of its path and each value of its query. */
    @Test
    void everyRouteThatIsReadTakesAHeadOfItsSizeAndNoByteMore() throws IOException {
        String file = server.upload(TestServer.rows(0, 1));
        List<String> flooded = new ArrayList<>();
        for (Map.Entry<String, JsonNode> path : server.get("/openapi.json").get("paths").properties()) {
            JsonNode get = path.getValue().path("get");
            if (!get.isMissingNode()) {
                flooded.add(path.getKey().replaceAll("\\{\\w+}", file));
                for (JsonNode parameter : get.path("parameters")) {
                    String name = parameter.get("name").asText();
                    flooded.add(parameter.get("in").asText().equals("path") ? path.getKey().replace("{" + name + "}",
                            "*") : path.getKey().replaceAll("\\{\\w+}", file) + "?" + name + "=*");
                }
            }
        }
        flooded.add("/v1/fine_tuning/jobs?" + "metadata%5Ba%5D=b&metadata%5B%25%5D=%27&".repeat(150) + "metadata[*]=a");
        flooded.add("/v1/files?" + "limit=1&".repeat(900) + "after=*");
        assertTrue(flooded.size() > 30, flooded.toString());
        for (String place : flooded) {
            String largest = head(place, Bound.HEAD_BYTES.count());
            assertTrue(largest.matches("(?s)HTTP/1.1 (200|40[04]) .*"), place + ": " + largest);
            String more = head(place, Bound.HEAD_BYTES.count() + 1);
            assertTrue(more.matches("(?s)HTTP/1.1 4(14|31) .*"), place + ": " + more);
        }
        assertEquals(200, server.get("/health").status());
    }

    @Test
    void listsHaveNoMoreEntriesThanTheySay() {
        List<String> lists = new ArrayList<>();
        server.get("/openapi.json").get("paths").properties().forEach(path -> path.getValue().path("get")
                .path("parameters").forEach(parameter -> {
                    if (parameter.path("name").asText().equals("limit") && !path.getKey().contains("{")) {
                        int most = parameter.path("schema").path("maximum").asInt();
                        lists.add(path.getKey());
                        assertEquals(200, server.get(path.getKey() + "?limit=" + most).status());
                        for (String limit : List.of(String.valueOf(most + 1), "0", "99999999999999999999")) {
                            Reply reply = server.get(path.getKey() + "?limit=" + limit);
                            assertEquals("limit", reply.error().path("param").asText(), reply.toString());
                        }
                    }
                }));
        assertTrue(lists.size() >= 3, lists.toString());
    }

    /** The same bound, smaller: the usual one would write 512 MB. */
    @Test
    void aFileHasNoMoreBytesThanAreTaken(@TempDir Path folder) throws IOException {
        int most = 1 << 16;
        String row = TestServer.rows(0, 1);
        String largest = row + " ".repeat(most - row.length() - 1) + "\n";
        try (TestServer small = TestServer.start(folder, builder -> builder.fileBytes(most))) {
            assertEquals(most, small.get("/v1/files/" + small.upload(largest)).get("bytes").asInt());
            for (String more : List.of(largest + "\n", largest.repeat(4))) {
                byte[] form = TestServer.form("fine-tune", "rows.jsonl", more);
                for (boolean chunked : new boolean[] {false, true}) {
                    Reply reply = small.send(small.upload(form).POST(chunked ? BodyPublishers.ofInputStream(
                            () -> new ByteArrayInputStream(form)) : BodyPublishers.ofByteArray(form)));
                    assertEquals(413, reply.status(), reply.toString());
                    assertTrue(reply.toString().contains("at most " + most + " bytes"), reply.toString());
                }
            }
            assertEquals(1, small.get("/v1/files").get("data").size());
        }
        try (Stream<Path> left = Files.list(folder.resolve("uploads"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    /** Whoever reads the description knows what is taken. */
    @Test
    void theTableIsTold() {
        JsonNode told = server.get("/openapi.json").get("x-bounds");
        assertEquals(Bound.values().length, told.size());
        assertEquals(GraderTemplate.MOST_CHARACTERS, told.path("graded_characters").path("most").asInt());
        for (Bound bound : Bound.values()) {
            assertFalse(told.path(bound.name().toLowerCase(java.util.Locale.ROOT)).path("of").asText().isEmpty());
        }
    }

    private static String check(String input) {
        return "{\"type\": \"string_check\", \"name\": \"s\", \"operation\": \"eq\", \"input\": \"" + input
                + "\", \"reference\": \"x\"}";
    }

    @Test
    void gradersThatWouldTakeForEverAreReadOrRefused() {
        assertEquals(200, server.post(GRADERS + "validate", "{\"grader\": " + check("{{".repeat(500_000)) + "}")
                .status());
        for (String grader : List.of(check("{{item" + ".a".repeat(2000) + "}}"), formula("a" + "^a".repeat(100_000)),
                formula("a" + "+a".repeat(200_000)), "{\"type\": \"multi\", \"graders\": {\"a\": ".repeat(300)
                        + check("x") + "}, \"calculate_output\": \"a\"}".repeat(300))) {
            Reply reply = server.post(GRADERS + "validate", "{\"grader\": " + grader + "}");
            assertEquals(400, reply.status(), reply.toString());
        }
        String run = "{\"grader\": " + check("{{item.a}}".repeat(1000))
                + ", \"model_sample\": \"x\", \"item\": {\"a\": \"";
        assertEquals(200, server.post(GRADERS + "run", run + "x".repeat(1048) + "\"}}").status());
        Reply more = server.post(GRADERS + "run", run + "x".repeat(1049) + "\"}}");
        assertEquals(400, more.status());
        assertTrue(more.error().path("message").asText().contains("more than 1048576 characters"), more.toString());
    }

    private static String formula(String formula) {
        return "{\"type\": \"multi\", \"graders\": {\"a\": " + check("x") + "}, \"calculate_output\": \"" + formula
                + "\"}";
    }

    /** The same is seen before a job trains. */
    @Test
    void aJobWhoseGraderMakesTooMuchOfARowFails() throws InterruptedException {
        String rows = IntStream.range(0, 12).mapToObj(i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"What "
                + "is " + i + "?\"}], \"a\": \"" + "x".repeat(i == 7 ? 1049 : 1000) + "\"}\n")
                .collect(Collectors.joining());
        String id = server.job("{\"model\": \"tiny-llama\", \"training_file\": \"" + server.upload(rows)
                + "\", \"method\": {\"type\": \"reinforcement\", \"reinforcement\": {\"grader\": "
                + check("{{item.a}}".repeat(1000)) + "}}}");
        JsonNode error = server.await(id, "succeeded", "failed").path("error");
        assertEquals("invalid_grader", error.path("code").asText(), error.toString());
        assertTrue(error.path("message").asText().startsWith("example 8 of training_file: "), error.toString());
    }

    @Test
    void aStateHasNoMoreBytesThanAModelMayRead() {
        for (String path : List.of("/v1/systemone", "/v1/decisions")) {
            boolean one = path.equals("/v1/systemone");
            String question = one ? "\"questions\": {\"q\": {\"type\": \"choice\", \"criteria\": {\"a\": null, \"b\": "
                    + "null}}}" : "\"questions\": [{\"type\": \"predicate\"}]";
            // Two of the bytes are the quotes of the text.
            String state = "{\"model\": \"tiny-llama\", " + question + ", \"" + (one ? "state" : "input") + "\": \"";
            Reply largest = server.post(path, state + "a ".repeat((int) Bound.STATE_BYTES.most() / 2 - 1) + "\"}");
            assertFalse(largest.toString().contains("bytes"), largest.toString());
            Reply more = server.post(path, state + "a ".repeat((int) Bound.STATE_BYTES.most() / 2) + "\"}");
            assertEquals(400, more.status());
            assertTrue(more.toString().contains("the state has 65538 bytes"), more.toString());
        }
        String many = IntStream.range(0, 400).mapToObj(i -> "{\"type\": \"predicate\"}").collect(Collectors.joining(
                ","));
        Reply product = server.post("/v1/decisions", "{\"model\": \"tiny-llama\", \"questions\": [" + many
                + "], \"input\": \"" + "a ".repeat(8000) + "\"}");
        assertEquals("questions", product.error().path("param").asText(), product.toString());
    }

    /** A client that leaves ends the questions that prove a merged model, at the next token. */
    @Test
    void aProofEndsWithItsClient(@TempDir Path folder) throws IOException {
        Path questions = Files.writeString(folder.resolve("questions.jsonl"),
                "{\"question\": \"Who?\", \"must_contain\": \"nobody\"}\n".repeat(3));
        AtomicInteger looks = new AtomicInteger();
        try (BaseModel base = TestServer.load(); PeftModel tuned = base.withAdapter(LoraConfig.builder().build())) {
            tuned.saveAdapter(folder.resolve("adapter"));
            MergedFile wanted = new MergedFile(BlockType.F16, Optional.of(new MergedFile.Proof(EvaluationData.read(
                    questions), 2)));
            ApiException left = assertThrows(ApiException.class, () -> wanted.write(base, folder.resolve("adapter"),
                    "m", folder.resolve("m.gguf"), () -> {
                        if (looks.incrementAndGet() == 2) {
                            throw ApiException.clientClosed();
                        }
                    }));
            assertEquals(499, left.status());
        }
        assertNotEquals(0, looks.get());
        assertFalse(Files.exists(folder.resolve("m.gguf")));
    }
}
