package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.Reranker;
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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server whose model scores texts for a query, with an adapter, beside a model of vectors. */
class RerankServerTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String QUERY = "who approves it";
    private static final List<String> TEXTS = List.of("in Paris", "the manager of the bank", "a card was charged");
    private static final String REQUEST = "'query': '" + QUERY + "', 'documents': ['" + String.join("', '", TEXTS)
            + "']";

    @TempDir
    private static Path folder;
    private static BaseModel model;
    private static BaseModel vectors;
    private static FineTuningServer server;

    @BeforeAll
    static void start() {
        Path from = AnsweringServer.FIXTURES.resolve("rerankers/bert");
        model = BaseModel.load(from.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
        vectors = BaseModel.load(AnsweringServer.FIXTURES.resolve("sentences/mean-normalized").toString(),
                ModelOptions.defaults().withTask(Task.EMBEDDING).withPrecision(ModelOptions.Precision.F32));
        server = FineTuningServer.builder(model, folder.resolve("data")).adapter("tuned", from.resolve("adapter"))
                .answering(AnsweringOptions.defaults().withModel("vectors", vectors)).start();
    }

    @AfterAll
    static void stop() {
        server.close();
        vectors.close();
        model.close();
    }

    private static HttpResponse<String> send(String path, String json) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofSeconds(60))
                .POST(BodyPublishers.ofString(json.replace('\'', '"'))).build(), BodyHandlers.ofString());
    }

    private static JsonNode rerank(String name, String fields) throws IOException, InterruptedException {
        HttpResponse<String> reply = send("/v1/rerank", "{'model': '" + name + "', " + fields + "}");
        assertEquals(200, reply.statusCode(), reply.body());
        return JSON.readTree(reply.body());
    }

    private static void assertRanked(List<Reranker.Ranked> expected, JsonNode reply) {
        assertEquals(expected.size(), reply.get("results").size(), reply.toString());
        for (int i = 0; i < expected.size(); i++) {
            JsonNode result = reply.get("results").get(i);
            assertEquals(expected.get(i).index(), result.get("index").asInt());
            assertEquals(expected.get(i).score(), result.get("relevance_score").asDouble(), 1e-6);
        }
    }

    @Test
    void textsComeInTheOrderOfTheLibrary() throws IOException, InterruptedException {
        List<Reranker.Ranked> expected = new Reranker(model).rank(QUERY, TEXTS);

        JsonNode whole = rerank("bert", REQUEST);

        assertRanked(expected, whole);
        assertFalse(whole.get("results").get(0).has("document"), whole.toString());
        assertRanked(expected.subList(0, 2), rerank("bert", REQUEST + ", 'top_n': 2"));
        int tokens = TEXTS.stream().mapToInt(text -> model.tokenizer().encodePair(QUERY, text).ids().length).sum();
        assertEquals(tokens, whole.at("/usage/total_tokens").asInt());
        assertEquals("bert", whole.get("model").asText());
    }

    @Test
    void textsMayBeObjectsAndComeBack() throws IOException, InterruptedException {
        JsonNode reply = rerank("bert", "'query': 'a', 'documents': ['in Paris', {'text': 'b'}], "
                + "'return_documents': true");

        for (JsonNode result : reply.get("results")) {
            assertEquals(result.get("index").asInt() == 1 ? "b" : "in Paris", result.at("/document/text").asText());
        }
    }

    @Test
    void anAdapterScoresUnderItsName() throws IOException, InterruptedException {
        try (PeftModel tuned = model.withAdapter(AnsweringServer.FIXTURES.resolve("rerankers/bert/adapter"))) {
            assertRanked(new Reranker(tuned).rank(QUERY, TEXTS), rerank("tuned", REQUEST));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'documents': ['a'] | query | missing_required_parameter
            'query': 'a' | documents | missing_required_parameter
            'query': 'a', 'documents': [] | documents | invalid_type
            'query': 'a', 'documents': 'b' | documents | invalid_type
            'query': 'a', 'documents': ['b', {'title': 'c'}] | documents | invalid_type
            'query': 'a', 'documents': ['b'], 'top_n': 0 | top_n | invalid_value
            'query': 'a', 'documents': ['b'], 'return_documents': 'yes' | return_documents | invalid_type
            'query': 'a', 'documents': ['b'], 'top_k': 1 | top_k | unknown_parameter
            """)
    void theFieldThatIsWrongIsNamed(String fields, String param, String code) throws IOException, InterruptedException {
        HttpResponse<String> reply = send("/v1/rerank", "{'model': 'bert', " + fields + "}");
        assertEquals(400, reply.statusCode(), reply.body());
        assertEquals(param, JSON.readTree(reply.body()).at("/error/param").asText(), reply.body());
        assertEquals(code, JSON.readTree(reply.body()).at("/error/code").asText(), reply.body());
    }

    @Test
    void aLongTextIsCutAndALongQueryRefused() throws IOException, InterruptedException {
        String text = "the manager ".repeat(500).strip();

        assertRanked(new Reranker(model).rank("a", List.of(text)), rerank("bert", "'query': 'a', 'documents': ['" + text
                + "']"));
        HttpResponse<String> reply = send("/v1/rerank", "{'model': 'bert', 'query': '" + text
                + "', 'documents': ['a']}");
        assertEquals("context_length_exceeded", JSON.readTree(reply.body()).at("/error/code").asText(), reply.body());
        String many = String.join(", ", IntStream.range(0, 1001).mapToObj(i -> "'a'").toList());
        assertTrue(send("/v1/rerank", "{'model': 'bert', 'query': 'a', 'documents': [" + many + "]}").body()
                .contains("may have 1000 texts, got 1001"));
    }

    /** The error says what a model does, on every route. */
    @Test
    void whatAModelDoesNotDoIsSaid() throws IOException, InterruptedException {
        String vector = send("/v1/rerank", "{'model': 'vectors', " + REQUEST + "}").body();
        assertTrue(vector.contains("does not score texts") && vector.contains("tuned"), vector);
        assertEquals(404, send("/v1/rerank", "{'model': 'nobody', " + REQUEST + "}").statusCode());
        for (String route : List.of("chat/completions", "responses", "completions", "fine_tuning/jobs")) {
            HttpResponse<String> reply = send("/v1/" + route, "{'model': 'bert'"
                    + (route.endsWith("jobs") ? ", 'training_file': 'file-1'}" : "}"));
            assertEquals(400, reply.statusCode(), route + ": " + reply.body());
            assertTrue(reply.body().contains("by POST /v1/rerank"), reply.body());
        }
        HttpResponse<String> embedded = send("/v1/embeddings", "{'model': 'bert', 'input': 'a'}");
        assertTrue(embedded.body().contains("gives no embeddings") && embedded.body().contains("vectors"),
                embedded.body());
        assertEquals(400, send("/v1/decisions", "{'model': 'bert', 'state': 'a', 'questions': []}").statusCode());
    }

    @Test
    void aHeadThatNobodyTrainedScoresOnlyWithAnAdapter() throws IOException, InterruptedException {
        try (BaseModel fresh = BaseModel.load(AnsweringServer.FIXTURES.resolve("sentences/mean-normalized").toString(),
                ModelOptions.defaults().withTask(Task.RERANKING));
                FineTuningServer other = FineTuningServer.builder(fresh, folder.resolve("fresh")).start()) {
            HttpResponse<String> reply = CLIENT.send(HttpRequest.newBuilder(URI.create(other.url() + "/v1/rerank"))
                    .POST(BodyPublishers.ofString(("{'model': 'mean-normalized', " + REQUEST + "}").replace('\'',
                            '"')))
                    .build(), BodyHandlers.ofString());

            assertEquals(400, reply.statusCode(), reply.body());
            assertTrue(reply.body().contains("this server has no model that does"), reply.body());
        }
    }
}
