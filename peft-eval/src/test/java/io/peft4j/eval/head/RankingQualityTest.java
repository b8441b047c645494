package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.TextPair;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Orders of texts are measured as by scikit-learn, and rerankers by them. */
class RankingQualityTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures/rerankers");
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final String ROWS = "{\"query\": \"who approves it\", \"positive\": \"the manager approves it\", "
            + "\"negatives\": [\"in Paris\", \"a card was charged\"]}\n{\"query\": \"notice period\", \"documents\": "
            + "[\"the login fails\", \"The notice period is ninety days\"], \"labels\": [0, 1]}\n";

    private static double[] doubles(JsonNode values) {
        return StreamSupport.stream(values.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    @Test
    void measuresAreThoseOfScikitLearn() throws IOException {
        JsonNode expected = new ObjectMapper().readTree(FIXTURES.resolve("measures.json").toFile()).get("queries");
        List<RankedQuery> queries = new ArrayList<>();
        List<double[]> scores = new ArrayList<>();
        for (JsonNode query : expected) {
            List<Double> labels = StreamSupport.stream(query.get("labels").spliterator(), false)
                    .map(JsonNode::asDouble).toList();
            queries.add(new RankedQuery("q", labels.stream().map(String::valueOf).toList(), labels));
            scores.add(doubles(query.get("scores")));
        }

        RankingQuality quality = RankingQuality.of(queries, scores);

        for (int i = 0; i < queries.size(); i++) {
            assertEquals(expected.get(i).get("ndcg_at_10").asDouble(), quality.ndcg()[i], 1e-12);
            assertEquals(expected.get(i).get("mrr").asDouble(), quality.reciprocalRanks()[i], 1e-12);
            assertEquals(expected.get(i).get("recall_at_5").asDouble(), quality.recall()[i], 1e-12);
        }
    }

    @Test
    void textsWithOneScoreAreInTheWorstOrder() {
        RankedQuery query = RankedQuery.of(TextPair.of("a", "b", "c", "d"));

        assertEquals(1.0 / 3, RankingQuality.of(List.of(query), List.of(new double[3])).reciprocalRanks()[0]);
    }

    @Test
    void aQueryWithoutAnAnswerIsRefused() {
        RankedQuery query = new RankedQuery("who?", List.of("a", "b"), List.of(0.0, 0.0));

        String message = assertThrows(ConfigurationException.class, () -> RankingQuality.of(List.of(query), List.of(
                new double[2]))).getMessage();

        assertTrue(message.contains("row 1") && message.contains("\"who?\""), message);
    }

    @Test
    void aRerankerIsComparedWithItsBaseOrWithTheOrderByWords(@TempDir Path folder) throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), ROWS);
        try (BaseModel scoring = BaseModel.load(FIXTURES.resolve("bert").toString(), F32);
                BaseModel fresh = BaseModel.load(FIXTURES.resolve("../sentences/mean-normalized").toString(), F32
                        .withTask(Task.RERANKING))) {
            TaskReport own = TaskComparison.of(scoring, scoring).trainingData(rows).on(rows);
            TaskReport byWords = TaskComparison.of(fresh, fresh).on(rows);

            assertEquals("ndcg_at_10", own.metric());
            assertEquals("is the base model with its own head", own.base().description());
            assertEquals(own.base().scores(), own.tuned().scores());
            assertEquals("is the order by the words of the query (BM25)", byWords.base().description());
            for (String measure : List.of("ndcg_at_10", "accuracy_at_1", "mrr", "recall_at_5")) {
                assertEquals(1, byWords.base().score(measure), measure);
                assertTrue(byWords.tuned().scores().get(measure).interval().isPresent(), measure);
            }
        }
    }
}
