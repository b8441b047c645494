package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.FineTuningServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Typed questions to a server of the Laya checkpoint of the fixtures. */
class DecisionRoutesTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TEAM = "'team': {'type': 'choice', 'instructions': 'Which?', 'criteria': {'a': 'x', "
            + "'b': null}}";

    private static final Path LAYA = AnsweringServer.FIXTURES.resolve("decisions/laya");

    @TempDir
    private static Path folder;
    private static BaseModel model;
    private static FineTuningServer server;

    @BeforeAll
    static void start() {
        model = AnsweringServer.load(LAYA);
        server = FineTuningServer.builder(model, folder).modelName("laya")
                .adapter("tuned", LAYA.resolve("adapter")).start();
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    private static HttpResponse<String> send(String path, String json) throws IOException, InterruptedException {
        return send(server, path, json);
    }

    private static HttpResponse<String> send(FineTuningServer to, String path, String json) throws IOException,
            InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(to.url() + path)).method("POST", BodyPublishers
                .ofString(json.replace('\'', '"'))).build(), BodyHandlers.ofString());
    }

    private static JsonNode reply(String path, String json) throws IOException, InterruptedException {
        HttpResponse<String> reply = send(path, json);
        assertEquals(200, reply.statusCode(), reply.body());
        return JSON.readTree(reply.body());
    }

    @Test
    void systemOneAnswersAsTheLibraryDoes() throws IOException, InterruptedException {
        String request = "'state': {'text': 'charged twice'}, 'questions': {" + TEAM + ", 'paid': {'type': 'noul', "
                + "'instructions': 'Paid?'}}";
        JsonNode reply = reply("/v1/systemone", "{'model': 'laya', " + request + "}");
        JsonNode same = new DecisionModel(model).decide(DecisionRequest.of(JSON.readTree(("{" + request + "}")
                .replace('\'', '"')))).toJson();
        assertEquals("laya", reply.get("model").asText());
        assertEquals(same.get("answers").toString(), reply.get("answers").toString());
        assertEquals(same.get("usage").toString(), reply.get("usage").toString());
        JsonNode tuned = reply("/v1/systemone", "{'model': 'tuned', " + request + "}");
        assertTrue(
                Math.abs(tuned.at("/answers/paid/noul").asDouble() - reply.at("/answers/paid/noul").asDouble()) > 1e-3,
                tuned.toString());
    }

    @Test
    void decisionsAnswerAsOpenAiHasThem() throws IOException, InterruptedException {
        JsonNode reply = reply("/v1/decisions", "{'model': 'laya', 'input': [{'role': 'user', 'content': [{'type': "
                + "'input_text', 'text': 'charged twice'}]}, {'type': 'function_call', 'name': 'f', 'arguments': '{}', "
                + "'call_id': 'c'}], 'questions': [{'type': 'predicate', 'name': 'refund', 'instructions': 'A refund "
                + "is asked for.'}, {'type': 'choice', 'instructions': 'Which?', 'choices': [{'value': true, "
                + "'description': 'x'}, {'value': 'b'}]}, {'type': 'score', 'instructions': 'How urgent?', 'levels': "
                + "[{'label': 'low'}, {'label': 'high', 'description': 'Today'}]}]}");
        JsonNode answers = reply.get("answers");
        assertEquals("refund", answers.at("/0/name").asText());
        assertTrue(answers.at("/0/probability").isDouble());
        assertTrue(answers.at("/1/name").isNull() && answers.at("/1/probabilities/0/value").isBoolean(),
                answers.toString());
        assertEquals(1, answers.at("/1/probabilities/0/probability").asDouble()
                + answers.at("/1/probabilities/1/probability").asDouble(), 1e-9);
        assertEquals("high", answers.at("/2/probabilities/1/label").asText());
        assertEquals(answers.at("/2/probabilities/1/probability").asDouble(), answers.at("/2/score").asDouble(), 1e-9);
        assertEquals(reply.at("/usage/input_tokens"), reply.at("/usage/total_tokens"));
    }

    @Test
    void aHeadThatNobodyTrainedAnswersOnlyWithAnAdapter() throws IOException, InterruptedException {
        try (BaseModel fresh = BaseModel.load(AnsweringServer.FIXTURES.resolve("rerankers/bert").toString(),
                ModelOptions.defaults().withTask(Task.DECISION))) {
            Path adapter = folder.resolve("fresh-adapter");
            try (PeftModel tuned = PeftModel.of(fresh, LoraConfig.builder().build())) {
                tuned.saveAdapter(adapter);
            }
            try (FineTuningServer other = FineTuningServer.builder(fresh, folder.resolve("fresh")).modelName("new")
                    .adapter("tuned", adapter).start()) {
                String request = "', 'input': 'a', 'questions': [{'type': 'predicate', 'instructions': 'Is it?'}]}";
                HttpResponse<String> reply = send(other, "/v1/decisions", "{'model': 'new" + request);
                assertEquals(400, reply.statusCode(), reply.body());
                assertTrue(reply.body().contains("does not answer typed questions") && reply.body().contains("tuned"),
                        reply.body());
                assertEquals(200, send(other, "/v1/decisions", "{'model': 'tuned" + request).statusCode());
            }
        }
    }

    /** A copy of the model with a {@code decision.json}. */
    private static BaseModel copy(String name, String settings) throws IOException {
        Path copy = folder.resolve(name);
        try (Stream<Path> files = Files.walk(LAYA)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(LAYA.relativize(file).toString()));
            }
        }
        Files.writeString(copy.resolve("decision.json"), settings);
        return AnsweringServer.load(copy);
    }

    @Test
    void aModelAnswersWithTheAdapterThatItNames() throws IOException, InterruptedException {
        String request = "', 'state': 'charged twice', 'questions': {" + TEAM + "}}";
        try (BaseModel naming = copy("with-adapter", "{\"adapter\": \"adapter\"}");
                FineTuningServer other = FineTuningServer.builder(naming, folder.resolve("naming")).start()) {
            JsonNode own = JSON.readTree(send(other, "/v1/systemone", "{'model': 'with-adapter" + request).body());
            assertEquals(reply("/v1/systemone", "{'model': 'tuned" + request).get("answers"), own.get("answers"));
            assertNotEquals(reply("/v1/systemone", "{'model': 'laya" + request).get("answers"), own.get("answers"));
        }
    }

    @Test
    void aBooleanAndATextOfTheSameNameAreTwoChoices() throws IOException, InterruptedException {
        JsonNode answer = reply("/v1/decisions", "{'model': 'laya', 'input': 'a', 'questions': [{'type': 'choice', "
                + "'choices': [{'value': true}, {'value': 'true'}, {'value': '\\'true\\''}]}]}").at("/answers/0");
        assertEquals("[true, \"true\", \"\\\"true\\\"\"]", answer.get("probabilities").findValues("value").toString());
        assertEquals(1, answer.get("probabilities").findValues("probability").stream().mapToDouble(JsonNode::asDouble)
                .sum(), 1e-9);
        HttpResponse<String> twice = send("/v1/decisions", "{'model': 'laya', 'input': 'a', 'questions': [{'type': "
                + "'choice', 'choices': [{'value': true}, {'value': true}]}]}");
        assertTrue(twice.statusCode() == 400 && twice.body().contains("appears twice"), twice.body());
    }

    @Test
    void numbersThatNoDoubleHoldsAreRead() throws IOException, InterruptedException {
        assertTrue(reply("/v1/systemone", "{'model': 'laya', 'state': {'a': 1e400}, 'questions': {" + TEAM + "}}")
                .at("/answers/team/choice").isTextual());
    }

    /** The bias makes one question's answer certain; of the other nothing is known. */
    @Test
    void whatIsNotCertainEnoughIsLeftToAPerson() throws IOException, InterruptedException {
        DecisionCalibration fitted = new DecisionCalibration(List.of(new DecisionCalibration.Entry("choice", "Which?",
                List.of("a", "b"), "bias", "it fits", 200, List.of(1.0, 1.0), List.of(100.0, 0.0), List.of(), List.of(),
                List.of(new DecisionCalibration.Threshold(0.05, 0.9, 1, 1, 1)), List.of())));
        try (BaseModel calibrated = copy("calibrated", JSON.writeValueAsString(Map.of("calibration", fitted)));
                FineTuningServer other = FineTuningServer.builder(calibrated, folder.resolve("careful"))
                        .answering(AnsweringOptions.defaults().withMaxError(0.05)).start()) {
            JsonNode answers = JSON.readTree(send(other, "/v1/decisions", "{'model': 'calibrated', 'input': 'a', "
                    + "'questions': [{'type': 'choice', 'instructions': 'Which?', 'choices': [{'value': 'a'}, "
                    + "{'value': 'b'}]}, {'type': 'predicate', 'name': 'paid', 'instructions': 'Paid?'}]}").body())
                    .get("answers");
            assertEquals("a", answers.at("/0/choice").asText());
            assertEquals("{\"type\":\"refusal\",\"name\":\"paid\"}", answers.get(1).toString());
            JsonNode named = JSON.readTree(send(other, "/v1/systemone", "{'model': 'calibrated', 'state': 'a', "
                    + "'questions': {" + TEAM + ", 'paid': {'type': 'noul', 'instructions': 'Paid?'}}}").body())
                    .get("answers");
            assertFalse(named.get("team").has("refused"));
            assertTrue(named.at("/paid/refused").asBoolean() && named.at("/paid/noul").isDouble(), named.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'model': 'laya', 'state': 'a' | 422 | /detail/0/loc/1 | questions",
        "'model': 'laya', 'state': 1, 'questions': {" + TEAM + "} | 422 | /detail/0/loc/1 | state",
        "'model': 'laya', 'state': 'a', 'questions': {}, 'more': 1 | 422 | /detail/0/type | extra_forbidden",
        "'model': 'laya', 'state': 'a', 'questions': {'q': {'type': 'noul'}}, 'assets': {'i': {}} | 422 | "
                + "/detail/0/loc/1 | assets",
        "'model': 'laya', 'state': 'a', 'questions': {'q': {'type': 'box'}} | 422 | /detail/0/type | value_error"})
    void malformedRequestsOfSystemOneAreDetails(String fields, int status, String place, String text)
            throws IOException, InterruptedException {
        HttpResponse<String> reply = send("/v1/systemone", "{" + fields + "}");
        assertEquals(status, reply.statusCode(), reply.body());
        assertEquals(text, JSON.readTree(reply.body()).at(place).asText(), reply.body());
    }

    /** Also where it is not the route that refuses. */
    @Test
    void allErrorsOfSystemOneAreDetails() throws IOException, InterruptedException {
        try (FineTuningServer locked = FineTuningServer.builder(model, folder.resolve("locked")).apiKey("secret")
                .start()) {
            HttpResponse<String> unknown = send(locked, "/v1/systemone", "{}");
            assertEquals(401, unknown.statusCode());
            assertTrue(JSON.readTree(unknown.body()).get("detail").asText().contains("key"), unknown.body());
            assertTrue(JSON.readTree(send(locked, "/v1/decisions", "{}").body()).at("/error/message").isTextual());
        }
        HttpResponse<String> large = send("/v1/systemone", "{'state': '" + "x".repeat(17 << 20) + "'}");
        assertEquals(413, large.statusCode());
        assertTrue(JSON.readTree(large.body()).get("detail").isTextual(), large.body());
        HttpResponse<String> method = CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + "/v1/systemone"))
                .build(), BodyHandlers.ofString());
        assertEquals(405, method.statusCode());
        assertTrue(JSON.readTree(method.body()).get("detail").isTextual(), method.body());
    }

    @Test
    void whatTheModelCannotAnswerIsSaidInTheFormOfTheRoute() throws IOException, InterruptedException {
        String many = IntStream.range(0, 60).mapToObj(i -> "'o" + i + "': null").collect(Collectors.joining(","));
        HttpResponse<String> systemOne = send("/v1/systemone", "{'model': 'laya', 'state': 'a', 'questions': {'q': "
                + "{'type': 'choice', 'criteria': {" + many + "}}}}");
        assertEquals(400, systemOne.statusCode(), systemOne.body());
        assertTrue(JSON.readTree(systemOne.body()).get("detail").asText().contains("60 options"), systemOne.body());
        HttpResponse<String> unknown = send("/v1/systemone", "{'model': 'x', 'state': 'a', 'questions': {" + TEAM
                + "}}");
        assertEquals(404, unknown.statusCode());
        assertTrue(JSON.readTree(unknown.body()).get("detail").isTextual(), unknown.body());
        HttpResponse<String> missing = send("/v1/decisions", "{'model': 'x', 'input': 'a', 'questions': [{'type': "
                + "'predicate'}]}");
        assertEquals(404, missing.statusCode());
        assertEquals("model_not_found", JSON.readTree(missing.body()).at("/error/code").asText());
        HttpResponse<String> one = send("/v1/decisions", "{'model': 'laya', 'input': 'a', 'questions': [{'type': "
                + "'choice', 'choices': [{'value': 'a'}]}]}");
        assertEquals(400, one.statusCode());
        assertTrue(one.body().contains("questions[0]") && one.body().contains("at least 2"), one.body());
        HttpResponse<String> chat = send("/v1/chat/completions", "{'model': 'laya', 'messages': [{'role': 'user', "
                + "'content': 'a'}]}");
        assertEquals(400, chat.statusCode(), chat.body());
    }
}
