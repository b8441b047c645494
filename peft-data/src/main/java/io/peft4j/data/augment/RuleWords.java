package io.peft4j.data.augment;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The words and the sentences that the rules for questions know, from {@code rule-words.txt}. */
final class RuleWords {
    private static final Map<String, String> ALL = read();
    private static final Map<String, Set<String>> SETS = new ConcurrentHashMap<>();

    private RuleWords() {
    }

    private static Map<String, String> read() {
        try (InputStream in = RuleWords.class.getResourceAsStream("rule-words.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" ", 2)).collect(Collectors.toUnmodifiableMap(part -> part[0],
                            part -> part[1]));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the words of rules", e);
        }
    }

    /** Those of a part, such as {@code english.verbs}; empty where no such part exists. */
    static Set<String> of(String part) {
        return SETS.computeIfAbsent(part, name -> Set.of(ALL.getOrDefault(name, "").split(" ")));
    }

    /** The sentences of a part, such as {@code en.topic}, with places to fill; empty where no such part exists. */
    static List<String> forms(String part) {
        return ALL.containsKey(part) ? List.of(ALL.get(part).split("\\|")) : List.of();
    }

    /** A word with a capital letter. */
    static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }
}
