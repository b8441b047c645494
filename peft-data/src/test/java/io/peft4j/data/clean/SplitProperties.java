package io.peft4j.data.clean;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatDataset.Split;
import io.peft4j.data.SplitOptions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** Any split is a partition in the order of the data, keeps groups together and depends on its seed alone. */
class SplitProperties {
    /** Few facts and few wordings, so that most sets hold groups of every kind. */
    @Provide
    Arbitrary<List<ChatExample>> sets() {
        Arbitrary<ChatExample> one = Combinators.combine(Arbitraries.integers().between(0, 30),
                Arbitraries.integers().between(0, 3), Arbitraries.of("g1", "g2", "g3", "g4", "g5", "g6"),
                Arbitraries.integers().between(0, 2), Arbitraries.integers().between(0, 50))
                .as((fact, wording, group, stratum, time) -> {
                    String about = "the budget of team " + (char) ('a' + fact % 26) + "orinth" + fact;
                    String question = switch (wording) {
                        case 0 -> "What is " + about + "?";
                        case 1 -> "please tell me what " + about + " is";
                        case 2 -> "What is  " + about + " ?";
                        default -> "I need to know " + about + " for my report, what is it?";
                    };
                    return new ChatExample(List.of(ChatMessage.user(question), ChatMessage.assistant("It is "
                            + (100 + fact) + " euros a year, as the board has decided.")), List.of(), Map.of("g", group,
                                    "s", stratum, "t", time, "fact", fact, "words",
                                    fact + "/" + (wording == 2 ? 0 : wording)),
                            new Origin("t", 1));
                });
        return one.list().ofMinSize(5).ofMaxSize(90).map(list -> {
            List<ChatExample> placed = new ArrayList<>();
            list.forEach(example -> placed.add(example.at(new Origin("t", placed.size() + 1))));
            return placed;
        });
    }

    @Provide
    Arbitrary<SplitRule> rules() {
        Arbitrary<SplitRule> shares = Combinators.combine(Arbitraries.doubles().between(0.1, 0.8),
                Arbitraries.longs()).as(
                        (first, seed) -> SplitRule.ratios(first, (1 - first) / 2, (1 - first) / 2)
                                .seed(seed));
        Arbitrary<SplitRule> folds = Arbitraries.integers().between(2, 5).map(SplitRule::folds);
        return Combinators.combine(Arbitraries.oneOf(shares, folds), Arbitraries.integers().between(0, 3),
                Arbitraries.integers().between(0, 3)).as((rule, grouping, order) -> {
                    SplitRule grouped = switch (grouping) {
                        case 0 -> rule.ungrouped();
                        case 1 -> rule.groupedBy("g");
                        case 2 -> rule.groupedByFact();
                        default -> rule;
                    };
                    return switch (order) {
                        case 0 -> grouped.stratifiedBy("s");
                        case 1 -> grouped.byTime("t");
                        case 2 -> grouped.byHash();
                        default -> grouped;
                    };
                });
    }

    @Property(tries = 200, seed = "104")
    void aSplitIsAPartitionThatKeepsGroupsTogether(@ForAll("sets") List<ChatExample> examples,
            @ForAll("rules") SplitRule rule) {
        List<List<ChatExample>> parts = DataSplit.split(examples, rule);
        assertEquals(rule.ratios().size(), parts.size());
        Set<ChatExample> all = new HashSet<>();
        Map<Object, Integer> partOf = new HashMap<>();
        for (int part = 0; part < parts.size(); part++) {
            long before = 0;
            for (ChatExample example : parts.get(part)) {
                assertTrue(all.add(example), "twice: " + example);
                assertTrue(example.origin().line() > before, "not in order");
                before = example.origin().line();
                // Every wording of a fact has the same answer, so they are one group, and equal ones in any case.
                String key = switch (rule.grouping()) {
                    case NONE -> "";
                    case FIELD -> "g";
                    case NEAR -> "words";
                    case FACT -> "fact";
                };
                if (!key.isEmpty()) {
                    Integer other = partOf.putIfAbsent(example.extra().get(key), part);
                    assertTrue(other == null || other == part, key + " " + example.extra().get(key) + " is torn");
                }
            }
        }
        assertEquals(examples.size(), all.size());
        assertEquals(parts, DataSplit.split(examples, rule));
    }

    @Property(tries = 300, seed = "105")
    void aSplitInTwoHasItsShareAndIsAPartition(@ForAll @IntRange(min = 2, max = 200) int size,
            @ForAll @DoubleRange(min = 0.01, max = 0.99) double share, @ForAll long seed) {
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            examples.add(ChatExample.of(ChatMessage.user("q" + i), ChatMessage.assistant("a" + i)));
        }
        ChatDataset dataset = ChatDataset.of(examples);
        SplitOptions options = new SplitOptions(share, seed);
        int expected = (int) Math.round(size * share);
        if (expected == 0 || expected == size) {
            assertThrows(ConfigurationException.class, () -> dataset.split(options));
            return;
        }
        Split split = dataset.split(options);
        assertEquals(expected, split.test().size());
        Set<ChatExample> all = new HashSet<>(split.train().examples());
        assertTrue(split.test().stream().noneMatch(all::contains));
        all.addAll(split.test().examples());
        assertEquals(new HashSet<>(dataset.examples()), all);
        for (ChatDataset part : List.of(split.train(), split.test())) {
            List<Long> lines = part.stream().map(example -> example.origin().line()).toList();
            assertEquals(lines.stream().sorted().toList(), lines);
        }
        assertEquals(split.test().examples(), dataset.split(options).test().examples());
    }
}
