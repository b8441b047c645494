package io.peft4j.data.augment;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The words that the rules for questions know, from {@code rule-words.txt}. */
final class RuleWords {
    private static final Map<String, Set<String>> ALL = read();

    private RuleWords() {
    }

    private static Map<String, Set<String>> read() {
        try (InputStream in = RuleWords.class.getResourceAsStream("rule-words.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#"))
                    .map(line -> List.of(line.split(" "))).collect(Collectors.toUnmodifiableMap(words -> words.get(0),
                            words -> Set.copyOf(words.subList(1, words.size()))));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the words of rules", e);
        }
    }

    /** Those of a part, such as {@code english.verbs}. */
    static Set<String> of(String part) {
        return ALL.get(part);
    }
}
