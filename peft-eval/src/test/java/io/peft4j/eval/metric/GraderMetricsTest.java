package io.peft4j.eval.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.api.Test;

/** The metrics of graders equal rapidfuzz, sacreBLEU, NLTK and rouge-score, on what {@code make_graders.py} wrote. */
class GraderMetricsTest {
    /** The fixture has 12 digits. */
    private static final double EXACT = 1e-9;
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/metrics");

    @Test
    void eachEqualsItsReferenceImplementation() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<JsonNode> pairs = new ArrayList<>();
        json.readTree(FIXTURES.resolve("metrics.json").toFile()).get("pairs").forEach(pair -> {
            if (pair.get("times").asInt() == 1) {
                pairs.add(pair);
            }
        });
        assertTrue(pairs.size() >= 300);
        JsonNode scores = json.readTree(FIXTURES.resolve("graders.json").toFile()).get("scores");
        Map<String, ToDoubleBiFunction<String, String>> metrics = GraderMetrics.all();
        assertEquals(scores.size(), metrics.size());
        for (Map.Entry<String, JsonNode> expected : scores.properties()) {
            assertEquals(pairs.size(), expected.getValue().size());
            for (int i = 0; i < pairs.size(); i++) {
                JsonNode pair = pairs.get(i);
                assertEquals(expected.getValue().get(i).asDouble(), metrics.get(expected.getKey())
                        .applyAsDouble(pair.get("prediction").asText(), pair.get("reference").asText()), EXACT,
                        () -> expected.getKey() + " of " + pair);
            }
        }
    }
}
