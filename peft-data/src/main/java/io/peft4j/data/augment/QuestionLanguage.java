package io.peft4j.data.augment;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The language of a question, which is short, by the small words that it is asked with. */
final class QuestionLanguage {
    static final String ENGLISH = "en";
    static final String GERMAN = "de";
    private static final List<String> CODES = List.of(ENGLISH, GERMAN, "fr", "es", "it", "nl", "pt");

    private QuestionLanguage() {
    }

    /** The code of the language with most of its words in a text; empty where none or several have most. */
    static Optional<String> of(String text) {
        Map<String, Integer> hits = new HashMap<>();
        for (String word : text.toLowerCase(Locale.ROOT).split("[^\\p{L}]+")) {
            CODES.forEach(code -> hits.merge(code, RuleWords.of(code + ".small").contains(word) ? 1 : 0, Integer::sum));
        }
        int most = hits.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        List<String> best = hits.keySet().stream().filter(language -> hits.get(language) == most).toList();
        return most > 0 && best.size() == 1 ? Optional.of(best.get(0)) : Optional.empty();
    }
}
