package io.peft4j.core.peft.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.Placement;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The choice of layers is Hugging Face PEFT's. The table is made by {@code src/test/python/target_modules.py}. */
class TargetTableTest {
    private static final JsonNode TABLE = read();
    private static final TinyModel MODEL = new TinyModel(new TinyNetwork(1, false, false));

    private static JsonNode read() {
        try (InputStream in = TargetTableTest.class.getResourceAsStream("target_modules.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A stored adapter may name targets that match nothing, as PEFT's may. */
    private static AdapterSetup stored() {
        return AdapterSetup.restoring(MODEL, new AdapterSetup.StoredTensors() {
            @Override
            public boolean offers(String key, long[] shape) {
                return true;
            }

            @Override
            public void read(String key, boolean transposed, INDArray target) {
            }
        });
    }

    @AfterAll
    static void close() {
        MODEL.close();
    }

    static Stream<JsonNode> choices() {
        return StreamSupport.stream(TABLE.get("choices").spliterator(), false);
    }

    static Stream<JsonNode> patterns() {
        return StreamSupport.stream(TABLE.get("patterns").spliterator(), false);
    }

    static Stream<JsonNode> frequencyPatterns() {
        return StreamSupport.stream(TABLE.get("frequency_patterns").spliterator(), false);
    }

    @Test
    void theTableIsMadeForTheNetworkOfTheTests() {
        assertEquals(texts(TABLE.get("paths")),
                new TreeSet<>(MODEL.network().slots().stream().map(Slot::path).toList()));
    }

    @ParameterizedTest
    @MethodSource("choices")
    void choosesTheSameLayersAsPeft(JsonNode row) {
        Placement placement = ConfigReader.parse(row.get("config").toString(), "table").record(Placement.class);
        Set<String> expected = texts(row.get("chosen"));
        if (expected.isEmpty()) {
            assertThrows(TargetModuleException.class, () -> Targets.of(placement, stored(), List.of(), layer -> true));
            return;
        }
        List<String> chosen = Targets.of(placement, stored(), List.of(), layer -> true).slots().stream().map(Slot::path)
                .toList();
        assertEquals(expected, new TreeSet<>(chosen));
        assertEquals(chosen.size(), new TreeSet<>(chosen).size());
    }

    @ParameterizedTest
    @MethodSource("patterns")
    void theFirstPatternCountsAsInPeft(JsonNode row) {
        PathPatterns<String> patterns = new PathPatterns<>("rank_pattern", keys(row));
        Map<String, String> found = new LinkedHashMap<>();
        for (String path : texts(TABLE.get("paths"))) {
            // PEFT gives the path itself back where nothing matches, so that a key equal to the path shows no match.
            patterns.first(path).filter(key -> !key.equals(path)).ifPresent(key -> found.put(path, key));
        }
        assertEquals(first(row), found);
    }

    @ParameterizedTest
    @MethodSource("frequencyPatterns")
    void theSecondRuleMatchesPeft(JsonNode row) {
        PathPatterns<String> patterns = PathPatterns.belowAnother("n_frequency_pattern", keys(row));
        Map<String, String> found = new LinkedHashMap<>();
        MODEL.network().slots().stream().filter(slot -> slot.layer() instanceof Linear).map(Slot::path)
                .forEach(path -> patterns.first(path).ifPresent(key -> found.put(path, key)));
        assertEquals(first(row), found);
    }

    private static Map<String, String> keys(JsonNode row) {
        Map<String, String> values = new LinkedHashMap<>();
        row.get("keys").forEach(key -> values.put(key.textValue(), key.textValue()));
        return values;
    }

    private static Map<String, String> first(JsonNode row) {
        Map<String, String> expected = new LinkedHashMap<>();
        row.get("first").properties().forEach(entry -> expected.put(entry.getKey(), entry.getValue().textValue()));
        return expected;
    }

    private static Set<String> texts(JsonNode array) {
        List<String> values = new ArrayList<>();
        array.forEach(value -> values.add(value.textValue()));
        return new TreeSet<>(values);
    }
}
