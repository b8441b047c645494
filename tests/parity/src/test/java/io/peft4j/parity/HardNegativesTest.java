package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.augment.HardNegatives;
import io.peft4j.data.augment.NegativeOptions;
import io.peft4j.data.task.TextPair;
import io.peft4j.models.BaseModel;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Negatives that an embedder finds are those that sentence-transformers mines with it. */
class HardNegativesTest {
    private static final JsonNode EXPECTED = Fixtures.json("rerankers/hard_negatives.json");
    private static final List<TextPair> PAIRS = Fixtures.stream(EXPECTED.get("pairs"))
            .map(pair -> TextPair.of(pair.get(0).asText(), pair.get(1).asText())).toList();
    private static final List<String> PASSAGES = Fixtures.stream(EXPECTED.get("corpus")).map(JsonNode::asText).toList();

    private static OptionalDouble number(JsonNode options, String name) {
        return options.has(name) ? OptionalDouble.of(options.get(name).asDouble()) : OptionalDouble.empty();
    }

    @Test
    void negativesAreThoseOfSentenceTransformers() {
        BaseModel embedder = KernelsUnderTest.sharedNaive("sentences/mean-normalized");
        for (JsonNode run : EXPECTED.get("runs")) {
            JsonNode given = run.get("options");
            NegativeOptions options = NegativeOptions.defaults().withCount(given.get("num_negatives").asInt())
                    .withSkipped(given.path("range_min").asInt(0)).withLast(given.has("range_max")
                            ? OptionalInt.of(given.get("range_max").asInt()) : OptionalInt.empty())
                    .withMinScore(number(given, "min_score")).withMaxScore(number(given, "max_score"))
                    .withMargin(number(given, "absolute_margin"))
                    .withRelativeMargin(number(given, "relative_margin"));

            HardNegatives.Mined mined = new HardNegatives(embedder, options).of(PAIRS, PASSAGES);

            for (TextPair pair : mined.pairs()) {
                List<String> expected = Fixtures.stream(run.get("negatives").get(pair.anchor() + "\n"
                        + pair.positive())).map(JsonNode::asText).toList();
                assertEquals(expected, pair.negatives(), given + ": " + pair.anchor());
            }
            assertEquals(run.get("negatives").size(), mined.pairs().size(), given.toString());
            assertEquals(PAIRS.size() - mined.pairs().size(), mined.without());
        }
    }

    @Test
    void drawnNegativesFollowTheSeedAndThoseThatWereThereStay() {
        BaseModel embedder = KernelsUnderTest.sharedNaive("sentences/mean-normalized");
        List<TextPair> pairs = List.of(TextPair.of("charged twice", "refund to my card", "b"));
        NegativeOptions wide = NegativeOptions.defaults().withCount(2).withLast(6).drawn(1);

        List<TextPair> first = new HardNegatives(embedder, wide).of(pairs, PASSAGES).pairs();

        assertEquals(first, new HardNegatives(embedder, wide).of(pairs, PASSAGES).pairs());
        assertEquals("b", first.get(0).negatives().get(0));
        assertEquals(3, first.get(0).negatives().size());
        assertTrue(PASSAGES.containsAll(first.get(0).negatives().subList(1, 3)), first.toString());
        assertTrue(LongStream.range(2, 12).anyMatch(seed -> !new HardNegatives(embedder, wide.drawn(
                seed)).of(pairs, PASSAGES).pairs().equals(first)));
    }

    @Test
    void ranksThatLeaveTooFewAreRefused() {
        String ranks = assertThrows(ConfigurationException.class, () -> NegativeOptions.defaults().withSkipped(2)
                .withLast(4)).getMessage();
        String none = assertThrows(ConfigurationException.class, () -> NegativeOptions.defaults().withCount(0))
                .getMessage();

        assertTrue(ranks.contains("3 negatives behind 2"), ranks);
        assertTrue(none.contains("at least 1 negative"), none);
    }
}
