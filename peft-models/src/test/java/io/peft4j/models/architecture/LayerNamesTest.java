package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.BaseModel;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an architecture says of its layers before there is a model is what a model of it has. */
class LayerNamesTest {
    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied"})
    void areThoseOfTheMatrices(String model) {
        try (BaseModel base = BaseModel.load("../tests/fixtures/" + model)) {
            Set<String> names = base.network().slots().stream()
                    .filter(slot -> slot.layer() instanceof Linear || slot.layer() instanceof Embedding)
                    .map(Slot::name).collect(Collectors.toCollection(TreeSet::new));
            assertEquals(names, new TreeSet<>(Architectures.of(base.config()).layerNames()));
            assertTrue(Architectures.layerNames().containsAll(names));
        }
    }
}
