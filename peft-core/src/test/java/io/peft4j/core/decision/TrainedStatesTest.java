package io.peft4j.core.decision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainedStatesTest {
    private static List<JsonNode> texts(String begin, int count) {
        return IntStream.range(0, count).<JsonNode>mapToObj(i -> TextNode.valueOf(begin + i)).toList();
    }

    @Test
    void caseAndPunctuationDoNotCountAndNumbersDo() {
        TrainedStates trained = TrainedStates.NONE.with(List.of(TextNode.valueOf("I was charged twice, for 12!"),
                TextNode.valueOf("")));
        assertTrue(trained.contains(TextNode.valueOf("i was charged\ntwice for 12")));
        assertFalse(trained.contains(TextNode.valueOf("I was charged twice, for 13!")));
        assertFalse(trained.contains(TextNode.valueOf("")));
    }

    @Test
    void ofAFileThatWasTrainedOnSomeRowsAreAlwaysKnown() {
        TrainedStates trained = TrainedStates.NONE.with(texts("a", 3000)).with(texts("b", 3000));
        assertEquals(TrainedStates.MOST, trained.hashes().size());
        assertEquals(trained, TrainedStates.NONE.with(texts("b", 3000)).with(texts("a", 3000)));
        assertEquals(TrainedStates.MOST, IntStream.of(0, 1).mapToLong(i -> texts(i == 0 ? "a" : "b", 3000).stream()
                .filter(trained::contains).count()).sum());
        assertEquals(0, texts("c", 3000).stream().filter(trained::contains).count());
    }

    @Test
    void theyAreWrittenAsTheyWereRead(@TempDir Path folder) {
        DecisionSettings settings = DecisionSettings.DEFAULT.withTrained(TrainedStates.NONE.with(texts("a", 3)))
                .withNamesAsLabels(List.of("x", "y"));
        settings.write(folder);
        assertEquals(settings, DecisionSettings.read(folder, DecisionSettings.DEFAULT));
        assertEquals(List.of("A", "B"), settings.labels(DecisionQuestion.Kind.CHOICE).subList(0, 2));
    }
}
