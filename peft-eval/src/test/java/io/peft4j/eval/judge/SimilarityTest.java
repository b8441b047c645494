package io.peft4j.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.eval.judge.FakeServer.Reply;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** Similarities by embeddings: cosines, the best reference, and what a server does wrong. */
class SimilarityTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static EmbeddingEndpoint embedder(FakeServer server) {
        return new EmbeddingEndpoint(Endpoint.of(server.url(), "vectors").withTries(1, Duration.ZERO));
    }

    /** Texts are their own vectors: "3 4" is (3, 4). The rows come in the wrong order, as they may. */
    private static Reply parsed(FakeServer.Request request) {
        try {
            StringBuilder rows = new StringBuilder();
            JsonNode input = JSON.readTree(request.body()).get("input");
            for (int i = input.size() - 1; i >= 0; i--) {
                rows.append(rows.length() == 0 ? "" : ",").append("{\"index\":").append(i).append(",\"embedding\":[")
                        .append(input.get(i).asText().replace(' ', ',')).append("]}");
            }
            return new Reply(200, "{\"data\":[" + rows + "]}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theBestReferenceCounts() throws IOException {
        List<EvaluationItem> items = List.of(EvaluationItem.reference("a", "4 3", "0 1"),
                EvaluationItem.fact("b", "no reference"), EvaluationItem.reference("c", "-3 -4"),
                EvaluationItem.reference("d", "0 0"));
        try (FakeServer server = new FakeServer(SimilarityTest::parsed)) {
            Similarity similarity = new Similarity(embedder(server));
            List<OptionalDouble> scores = similarity.of(items, List.of("3 4", "x", "3 4", "1 1"));
            // (3, 4) and (4, 3): 24 / 25; opposite ones count as 0, as does a vector of nothing.
            assertEquals(24 / 25.0, scores.get(0).getAsDouble(), 1e-7, "floats of 24 bits");
            assertEquals(List.of(OptionalDouble.empty(), OptionalDouble.of(0), OptionalDouble.of(0)),
                    scores.subList(1, 4));
            assertEquals("/v1/embeddings", server.requests().get(0).path());
            assertEquals("vectors", JSON.readTree(server.requests().get(0).body()).get("model").asText());
            assertEquals(List.of(new JudgeReport.Count(Similarity.METRIC, 3, 0, 0, 0)),
                    similarity.report().counts());
        }
    }

    @Test
    void invalidServerResponsesAreReported() throws IOException {
        List<EvaluationItem> items = List.of(EvaluationItem.reference("a", "1 2"));
        for (String body : List.of("{}", "{\"data\":[{\"index\":0,\"embedding\":[1]}]}",
                "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}",
                "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1,2]}]}",
                "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[null]}]}",
                "{\"data\":[{\"index\":0,\"embedding\":[]},{\"index\":1,\"embedding\":[]}]}",
                "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[1e99]}]}")) {
            try (FakeServer server = new FakeServer(request -> new Reply(200, body))) {
                Similarity similarity = new Similarity(embedder(server));
                assertEquals(List.of(OptionalDouble.empty()), similarity.of(items, List.of("3 4")), body);
                assertEquals(1, similarity.report().counts().get(0).failed(), body);
                assertTrue(similarity.report().troubles().get(0).contains("answers with"), body);
            }
        }
    }

    @Test
    void itemsAreEmbeddedInBatches() throws IOException {
        List<EvaluationItem> items = new ArrayList<>();
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            items.add(EvaluationItem.reference("q", "1 " + i));
            answers.add("1 " + i);
        }
        try (FakeServer server = new FakeServer(SimilarityTest::parsed)) {
            List<OptionalDouble> scores = new Similarity(embedder(server)).of(items, answers);
            assertTrue(scores.stream().allMatch(score -> Math.abs(score.getAsDouble() - 1) < 1e-12));
            assertEquals(4, server.requests().size());
        }
    }

    @Test
    void hiddenStatesDistinguishEqualTextsFromOthers() {
        try (BaseModel model = BaseModel.load("../tests/fixtures/tiny-llama")) {
            HiddenStates states = new HiddenStates(model);
            List<float[]> vectors = states.embed(List.of("A notice period of 90 days.",
                    "A notice period of 90 days.", "Who?", ""));
            assertEquals(model.network().description().hiddenSize(), vectors.get(0).length);
            assertEquals(1, Similarity.cosine(vectors.get(0), vectors.get(1)), 1e-12);
            assertTrue(Similarity.cosine(vectors.get(0), vectors.get(2)) < 0.999);
            assertEquals(0, Similarity.cosine(vectors.get(0), vectors.get(3)));
            assertTrue(states.name().startsWith("mean hidden state of "));
        }
    }
}
