package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.TextExample;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Shares of a mixture, by weight and temperature. */
class MixtureTest {
    @Test
    void sharesAreThoseOfTheWeights() {
        List<Example> mixed = new Mixture().add("a", set("a", 100), 3).add("b", set("b", 10), 1).seed(4).of(80);
        Map<String, Integer> counts = new HashMap<>();
        mixed.forEach(example -> counts.merge(((TextExample) example).text(), 1, Integer::sum));
        assertEquals(60, counts.keySet().stream().filter(text -> text.startsWith("a")).count());
        // 20 draws of 10 examples: each twice.
        assertEquals(10, counts.entrySet().stream().filter(e -> e.getKey().startsWith("b") && e.getValue() == 2)
                .count());
        assertEquals(mixed, new Mixture().add("a", set("a", 100), 3).add("b", set("b", 10), 1).seed(4).of(80));
        assertTrue(!mixed.equals(new Mixture().add("a", set("a", 100), 3).add("b", set("b", 10), 1).seed(5).of(80)));
    }

    @Test
    void temperatureEvensOut() {
        Mixture mixture = new Mixture().add("large", set("l", 800)).add("small", set("s", 200));
        assertEquals(List.of(80, 20), mixture.shares(100).stream().map(Mixture.Share::drawn).toList());
        // 800^(1/2) : 200^(1/2) = 2 : 1
        assertEquals(List.of(67, 33), mixture.temperature(2).shares(100).stream().map(Mixture.Share::drawn).toList());
        assertEquals(List.of(50, 50), mixture.temperature(1e9).shares(100).stream().map(Mixture.Share::drawn)
                .toList());
    }

    @Test
    void guardExamplesHaveTheirShareAndOccurOnce() {
        List<Example> mixed = Mixture.withGuard(set("a", 90), set("g", 500), 0.1, 1);
        assertEquals(100, mixed.size());
        assertEquals(90, new HashSet<>(mixed.stream().filter(e -> ((TextExample) e).text().startsWith("a")).toList())
                .size());
        assertThrows(ConfigurationException.class, () -> Mixture.withGuard(set("a", 9), set("g", 5), 1, 1));
        assertThrows(ConfigurationException.class, () -> new Mixture().add("x", List.of()));
        assertThrows(ConfigurationException.class, () -> new Mixture().of(3));
    }

    private static List<TextExample> set(String prefix, int size) {
        return IntStream.range(0, size).mapToObj(i -> new TextExample(prefix + i, Map.of(), new Origin(prefix, i)))
                .toList();
    }
}
