package io.peft4j.data.clean;

import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Tells the language of a text by its most frequent small words. Short texts have too few of them to tell. */
final class Languages {
    private static final Map<String, Set<String>> WORDS = words();
    private static final int FEWEST_HITS = 3;
    private static final double LEAD = 1.5;

    private Languages() {
    }

    private static Map<String, Set<String>> words() {
        Map<String, String> lists = Map.of(
                "en", "the of and to is that it for was on are with as at be this have from not but they you",
                "de", "der die das und ist nicht ein eine zu den von mit auf sich des dem auch wird bei sind einen",
                "fr", "le la les et est une des en que qui dans pour pas sur au par plus avec ce sont du il vous",
                "es", "el los las y es una en que por con para se del como su al pero lo fue este son esta",
                "it", "il di che e un una per non sono con del della si da le gli come anche alla nel questo",
                "pt", "o os as e um uma que em para com n\u00e3o do da por se mais como ao dos foi s\u00e3o pelo",
                "nl", "de het een en van is niet dat op te zijn voor met die aan er om ook als bij wordt naar");
        Map<String, Set<String>> words = new TreeMap<>();
        lists.forEach((language, list) -> words.put(language, new HashSet<>(Arrays.asList(list.split(" ")))));
        return words;
    }

    static void requireKnown(Set<String> languages) {
        if (languages.isEmpty() || !WORDS.keySet().containsAll(languages)) {
            throw new ConfigurationException("unknown language in " + languages + "; supported are "
                    + WORDS.keySet());
        }
    }

    /** The language of a text; empty where it cannot be told. */
    static Optional<String> of(String text) {
        Map<String, Integer> hits = new HashMap<>();
        for (String word : text.toLowerCase(Locale.ROOT).split("[^\\p{L}]+")) {
            WORDS.forEach((language, words) -> {
                if (words.contains(word)) {
                    hits.merge(language, 1, Integer::sum);
                }
            });
        }
        String best = "";
        int most = 0;
        int second = 0;
        for (Map.Entry<String, Integer> entry : hits.entrySet()) {
            if (entry.getValue() > most) {
                second = most;
                most = entry.getValue();
                best = entry.getKey();
            } else {
                second = Math.max(second, entry.getValue());
            }
        }
        return most >= FEWEST_HITS && most >= LEAD * second ? Optional.of(best) : Optional.empty();
    }
}
