package io.peft4j.data.augment;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The language of a question, which is short, by the small words that it is asked with. */
final class QuestionLanguage {
    static final String ENGLISH = "en";
    static final String GERMAN = "de";
    private static final Map<String, Set<String>> WORDS = new LinkedHashMap<>();

    static {
        put(ENGLISH, "what which who whom whose where when why how is are do does did can could may must should will "
                + "would the an of to for my we our you your it this there have has which i and with if be get need");
        put(GERMAN, "welche welcher welches welchen welchem wer wem wen wo wann warum wieso wie ist sind wird werden "
                + "kann k\u00f6nnen darf d\u00fcrfen muss m\u00fcssen soll sollen der die das den dem des ein eine "
                + "einen einem einer ich "
                + "wir man mein meine unser f\u00fcr von zu zum zur im bei mit nach und oder es gibt habe hat viel "
                + "viele wohin");
        put("fr", "le la les et est une des que qui quel quelle quels quelles dans pour pas sur au avec ce sont du "
                + "comment combien quand o\u00f9 puis peut dois je nous vous mon ma mes faut il elle un de en");
        put("es", "el los las y es una que qu\u00e9 por con para del c\u00f3mo cu\u00e1ntos cu\u00e1nto cu\u00e1l "
                + "cu\u00e1ndo d\u00f3nde qui\u00e9n puedo mi "
                + "se son hay tengo un de en la");
        put("it", "il di che \u00e8 un una per non sono con del della quanto quanti quale quando dove chi come posso "
                + "mio mia "
                + "si da le gli");
        put("nl", "de het een van is niet dat op te zijn voor met wat wie waar wanneer hoe welke hoeveel kan mag ik "
                + "wij mijn onze er");
        put("pt", "o os as e um uma que em para com n\u00e3o do da por qual quais quando onde quem como posso meu "
                + "minha "
                + "quantos quanto s\u00e3o");
    }

    private QuestionLanguage() {
    }

    private static void put(String language, String words) {
        WORDS.put(language, new HashSet<>(List.of(words.split(" "))));
    }

    /** The code of the language with most of its words in a text; empty where none or several have most. */
    static Optional<String> of(String text) {
        Map<String, Integer> hits = new HashMap<>();
        for (String word : text.toLowerCase(Locale.ROOT).split("[^\\p{L}]+")) {
            WORDS.forEach((language, words) -> hits.merge(language, words.contains(word) ? 1 : 0, Integer::sum));
        }
        int most = hits.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        List<String> best = hits.keySet().stream().filter(language -> hits.get(language) == most).toList();
        return most > 0 && best.size() == 1 ? Optional.of(best.get(0)) : Optional.empty();
    }
}
