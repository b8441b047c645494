package io.peft4j.train.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a space holds, and what strategies choose from it. */
class SearchTest {
    private static final SearchSpace SPACE = SearchSpace.of("""
            {"learning_rate": {"min": 1e-5, "max": 1e-1, "log": true, "points": 5},
             "rank": [4, 8, 16],
             "epochs": {"min": 1, "max": 4},
             "target_modules": ["all-linear", ["q_proj", "v_proj"]]}
            """, "space.json");

    private static void assertMessage(String begin, String json) {
        String message = assertThrows(ConfigurationException.class, () -> SearchSpace.of(json, "space.json"))
                .getMessage();
        assertTrue(message.startsWith(begin), message);
    }

    @Test
    void wrongSpacesAreReportedWithTheOption() {
        assertMessage("space.json is not valid JSON", "{");
        assertMessage("space.json is not a JSON object", "[]");
        assertMessage("the space of a sweep has no option", "{}");
        assertMessage("space.json: \"rank\": is 8; it must be a list of values, or a range", "{\"rank\": 8}");
        assertMessage("space.json: \"rank\": a list of values is empty", "{\"rank\": []}");
        assertMessage("space.json: \"a\": a range has no \"mni\"; the nearest of 4 are 'min'", "{\"a\": {\"mni\": 1}}");
        assertMessage("space.json: \"a\": \"max\" is missing", "{\"a\": {\"min\": 1}}");
        assertMessage("space.json: \"a\": \"min\" is \"x\"", "{\"a\": {\"min\": \"x\", \"max\": 2}}");
        assertMessage("space.json: \"a\": the range from 2.0 to 1.0 is empty", "{\"a\": {\"min\": 2, \"max\": 1}}");
        assertMessage("space.json: \"a\": the range from 0.0 to 1.0 cannot be logarithmic",
                "{\"a\": {\"min\": 0, \"max\": 1, \"log\": true}}");
        assertMessage("space.json is not valid JSON: Duplicate field 'a'", "{\"a\": [1], \"a\": [2]}");
        assertMessage("space.json is not valid JSON", "{\"a\": [1]} {\"b\": [2]}");
        assertMessage("space.json: \"a\": \"points\" is 1", "{\"a\": {\"min\": 0, \"max\": 1, \"points\": 1}}");
        assertMessage("space.json: \"a\": \"log\" must be true or false",
                "{\"a\": {\"min\": 0, \"max\": 1, \"log\": 1}}");
    }

    @Test
    void aGridIsAllCombinations() {
        assertEquals(5 * 3 * 4 * 2, SearchStrategy.GRID.most(SPACE));
        List<Map<String, JsonNode>> all = IntStream.range(0, 120)
                .mapToObj(i -> SearchStrategy.GRID.choose(SPACE, i, List.of(), 0)).toList();
        assertEquals(120, all.stream().distinct().count());
        assertEquals("{learning_rate=1.0E-5, rank=4, epochs=1, target_modules=\"all-linear\"}", all.get(0).toString());
        assertEquals("{learning_rate=0.1, rank=16, epochs=4, target_modules=[\"q_proj\",\"v_proj\"]}",
                all.get(119).toString());
        assertEquals(List.of(1e-5, 1e-4, 1e-3, 1e-2, 1e-1), all.stream().map(v -> v.get("learning_rate").asDouble())
                .distinct().toList());
        SearchSpace endless = SearchSpace.of("{\"a\": {\"min\": 0.5, \"max\": 1}}", "s");
        assertTrue(assertThrows(ConfigurationException.class, () -> SearchStrategy.GRID.most(endless)).getMessage()
                .contains("has no grid; give \"points\""));
    }

    @Test
    void chanceStaysInTheSpaceAndFollowsTheSeed() {
        List<Double> rates = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Map<String, JsonNode> values = SearchStrategy.RANDOM.choose(SPACE, i, List.of(), 3);
            assertEquals(values, SearchStrategy.RANDOM.choose(SPACE, i, List.of(), 3));
            rates.add(values.get("learning_rate").asDouble());
            assertTrue(values.get("epochs").isIntegralNumber() && values.get("epochs").asInt() >= 1
                    && values.get("epochs").asInt() <= 4);
        }
        assertTrue(rates.stream().allMatch(rate -> rate >= 1e-5 && rate <= 1e-1));
        // Half of a logarithmic range lies below its middle, 1e-3.
        assertEquals(100, rates.stream().filter(rate -> rate < 1e-3).count(), 20);
    }

    @Test
    void placesOfValuesAreWhereTheyCameFrom() {
        SPACE.domains().forEach((name, domain) -> {
            for (double place : new double[] {0.01, 0.3, 0.5, 0.99}) {
                JsonNode value = domain.at(place);
                assertEquals(value, domain.at(domain.place(value)), name);
            }
        });
    }

    /** The loss is lowest at a rate of 1e-3, rank 16 and 3 epochs; chance does worse with as many trials. */
    @Test
    void theParzenEstimatorLooksWhereGoodTrialsLie() {
        double guided = 0;
        double byChance = 0;
        for (int seed = 0; seed < 8; seed++) {
            guided += best(SearchStrategy.TPE, seed);
            byChance += best(SearchStrategy.RANDOM, seed);
        }
        assertTrue(guided < 0.5 * byChance, guided + " against " + byChance);
    }

    private static double best(SearchStrategy strategy, int seed) {
        List<Trial> done = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Map<String, JsonNode> values = strategy.choose(SPACE, i, done, seed);
            double loss = Math.pow(Math.log10(values.get("learning_rate").asDouble()) + 3, 2)
                    + 0.1 * Math.abs(values.get("rank").asInt() - 16)
                    + 0.5 * Math.abs(values.get("epochs").asInt() - 3);
            done.add(Trial.open(i + 1, values).after(Trial.State.FINISHED, loss, 1, 1));
        }
        return SweepResult.best(done).orElseThrow().loss().orElseThrow();
    }

    @Test
    void unknownStrategiesAreReported() {
        assertEquals("unknown strategy 'bayes'; there are 'tpe', 'grid' and 'random'",
                assertThrows(ConfigurationException.class, () -> SearchStrategy.named("bayes"))
                        .getMessage());
        assertEquals(SearchStrategy.TPE, SearchStrategy.named("tpe"));
    }
}
