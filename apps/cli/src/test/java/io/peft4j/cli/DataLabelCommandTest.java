package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.RowKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A served model's probabilities become rows to learn from. */
class DataLabelCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private HttpServer server;
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile boolean mended;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/systemone", exchange -> {
            JsonNode request = JSON.readTree(exchange.getRequestBody());
            // The first request finds the server busy.
            int status = asked.isEmpty() ? 503 : 200;
            asked.add(request.get("state").asText());
            byte[] body = answer(request).toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    /** As System One's servers answer; of the state "broken" a probability is missing. */
    private ObjectNode answer(JsonNode request) {
        assertEquals("teacher", request.get("model").asText());
        ObjectNode answers = JSON.createObjectNode();
        ObjectNode all = answers.putObject("answers");
        double p = request.get("state").asText().startsWith("refund") ? 0.9 : 0.2;
        request.get("questions").properties().forEach(question -> {
            ObjectNode one = all.putObject(question.getKey()).put("type", question.getValue().get("type").asText());
            switch (question.getValue().get("type").asText()) {
                case "noul" -> one.put("noul", p);
                case "score" -> one.putObject("probabilities").put("0", p).put("1", 1 - p);
                default -> {
                    one.put("choice", "money").putObject("probabilities").put("money", p);
                    if (mended || !request.get("state").asText().equals("broken")) {
                        one.withObject("/probabilities").put("access", 1 - p);
                    }
                }
            }
        });
        return answers;
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private Path rows(List<String> states) throws IOException {
        return Files.write(folder.resolve("rows.jsonl"), states.stream().map(state -> "{\"state\": \"" + state
                + "\", \"questions\": {\"team\": {\"type\": \"choice\", \"instructions\": \"Which?\", \"criteria\": "
                + "{\"money\": \"Invoices\", \"access\": null}}, \"paid\": {\"type\": \"noul\"}, \"urgency\": "
                + "{\"type\": \"score\", \"criteria\": [\"low\", \"high\"]}}, \"expected\": {\"paid\": \"true\"}}")
                .toList());
    }

    private String url() {
        return "http://" + server.getAddress().getAddress().getHostAddress() + ":" + server.getAddress().getPort()
                + "/v1";
    }

    @Test
    void probabilitiesOfAServerAreRowsToLearnFrom() throws IOException {
        Path data = rows(IntStream.range(0, 20).mapToObj(i -> (i % 3 == 0 ? "refund " : "login ") + i).toList());
        Path gold = folder.resolve("gold.jsonl");
        CommandRun.succeeding("data", "label", data, "--url", url(), "--model", "teacher", "--output", gold);
        assertEquals(21, asked.size(), "one request was repeated");
        List<DecisionRow> learned = RowKind.DECISIONS.read(DataFile.of(gold));
        assertEquals(20, learned.size());
        for (int i = 0; i < 20; i++) {
            double p = i % 3 == 0 ? 0.9 : 0.2;
            DecisionRow row = learned.get(i);
            assertEquals((i % 3 == 0 ? "refund " : "login ") + i, row.request().state().asText());
            assertEquals(Map.of("team", List.of(p, 1 - p), "paid", List.of(1 - p, p), "urgency", List.of(p, 1 - p)),
                    row.gold());
            assertEquals("Invoices", row.request().questions().get("team").options().get(0).text());
        }
    }

    @Test
    void aWrongAnswerLeavesNoFile() throws IOException {
        Path gold = folder.resolve("gold.jsonl");
        String error = CommandRun.failing(1, "data", "label", rows(List.of("refund 1", "broken")), "--url", url(),
                "--model", "teacher", "--output", gold);
        assertTrue(error.contains("answers question 'team' without a probability of 'access'"), error);
        assertFalse(Files.exists(gold));
    }

    @Test
    void whatWasAnsweredBeforeAnErrorIsNotAskedAgain() throws IOException {
        Path gold = folder.resolve("gold.jsonl");
        Path part = folder.resolve("gold.jsonl.part");
        List<Object> words = List.of("data", "label", rows(List.of("refund 1", "login 2", "broken", "refund 4")),
                "--url", url(), "--output", gold, "--requests", 1, "--model", "teacher");
        CommandRun.failing(1, words.toArray());
        assertEquals(2, Files.readAllLines(part).size());
        Files.writeString(part, Files.readString(part) + "{\"state\": \"bro");

        mended = true;
        int before = asked.size();
        String said = CommandRun.succeeding(words.toArray()).err();

        assertTrue(said.contains("2 answers in " + part), said);
        // A request that the error overtook may arrive late: it is of the last row.
        assertEquals(Set.of("broken", "refund 4"), Set.copyOf(asked.subList(before, asked.size())));
        assertEquals(List.of("refund 1", "login 2", "broken", "refund 4"), RowKind.DECISIONS
                .read(DataFile.of(gold)).stream().map(row -> ((DecisionRow) row).request().state().asText()).toList());
        assertFalse(Files.readString(gold).contains("answered_by"));
        assertFalse(Files.exists(part));
    }
}
