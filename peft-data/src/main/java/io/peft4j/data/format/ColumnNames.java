package io.peft4j.data.format;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Which {@code --column} makes the columns of somebody's table those of a format: names that people give to them, in
 * some languages, stand for the format's own. It is advice and never applied by itself.
 */
final class ColumnNames {
    /** What the rows of a table have in the formats that tables can hold; the first is what is trained on most. */
    static final List<List<String>> FORMS = List.of(List.of("question", "answer"), List.of("prompt", "completion"),
            List.of("instruction", "output"), List.of("text", "label"), List.of("prompt", "chosen", "rejected"),
            List.of("source", "target"), List.of("anchor", "positive"), List.of("question", "context", "answer"));
    private static final Map<String, List<String>> WORDS = new LinkedHashMap<>();

    static {
        List<String> questions = words("question questions frage fragen kundenfrage anfrage q query ask pregunta "
                + "domanda vraag pergunta prompt instruction user userquestion input");
        List<String> answers = words("answer answers antwort antworten a response reply respuesta reponse risposta "
                + "antwoord resposta completion output assistant loesung losung antworttext");
        List<String> texts = words("text content body message nachricht inhalt beschreibung description comment "
                + "kommentar review ticket email texte texto testo tekst sentence satz document dokument betreff");
        WORDS.put("question", questions);
        WORDS.put("answer", answers);
        WORDS.put("prompt", questions);
        WORDS.put("completion", answers);
        WORDS.put("instruction", questions);
        WORDS.put("output", answers);
        WORDS.put("reference", with(answers, words("reference expected expectedanswer gold soll sollantwort "
                + "musterantwort erwartet")));
        WORDS.put("must_contain", words("mustcontain fact facts fakt fakten keyword keywords stichwort"));
        WORDS.put("text", texts);
        WORDS.put("label", words("label labels class category kategorie klasse intent sentiment thema topic tag type "
                + "typ categorie categoria etikett"));
        WORDS.put("chosen", words("chosen preferred better besser good gut gewinner winner bevorzugt"));
        WORDS.put("rejected", words("rejected worse schlechter bad schlecht verlierer loser abgelehnt"));
        WORDS.put("source", words("source quelle original from von quelltext ausgangstext sourcetext"));
        WORDS.put("target", words("target ziel translation ubersetzung uebersetzung to nach zieltext targettext"));
        WORDS.put("context", words("context kontext passage paragraph abschnitt contexte"));
        WORDS.put("anchor", with(questions, words("anchor text1 sentence1")));
        WORDS.put("positive", with(texts, words("positive positiv text2 sentence2 passage match")));
        WORDS.put("system", words("system systemprompt rolle"));
    }

    private ColumnNames() {
    }

    /** The forms that have a column of this name. */
    static List<List<String>> formsWith(String name) {
        List<List<String>> forms = FORMS.stream().filter(form -> form.contains(name)).toList();
        return forms.isEmpty() ? List.of(List.of(name)) : forms;
    }

    private static List<String> words(String list) {
        return List.of(list.split(" "));
    }

    private static List<String> with(List<String> some, List<String> more) {
        List<String> both = new ArrayList<>(some);
        both.addAll(more);
        return both;
    }

    /**
     * Advice such as {@code Frage=question, Antwort=answer}.
     *
     * @param present the columns that there are
     * @param forms the columns that each form needs; advised is the one of which most can be made, or the first
     * @return empty where nothing fits
     */
    static Optional<String> advice(Collection<String> present, List<List<String>> forms) {
        Map<String, String> best = best(present, forms);
        return best.isEmpty() ? Optional.empty() : Optional.of(best.entrySet().stream()
                .map(name -> quoted(name.getKey() + "=" + name.getValue())).collect(Collectors.joining(", ")));
    }

    /** The same as a map, empty where nothing fits. */
    static Map<String, String> best(Collection<String> present, List<List<String>> forms) {
        Map<String, String> best = Map.of();
        for (List<String> form : forms) {
            Map<String, String> names = names(present, form);
            if (names.size() + owned(present, form) == form.size() && names.size() > best.size()) {
                best = names;
            }
        }
        return best;
    }

    private static long owned(Collection<String> present, List<String> form) {
        return form.stream().filter(present::contains).count();
    }

    /** Which columns stand for which names of the form. */
    private static Map<String, String> names(Collection<String> present, List<String> form) {
        List<String> free = new ArrayList<>(present);
        free.removeAll(form);
        Map<String, String> names = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (String wanted : form) {
            if (!present.contains(wanted)) {
                Optional<String> column = free.stream().filter(name -> means(name, wanted)).findFirst();
                column.ifPresent(name -> {
                    names.put(name, wanted);
                    free.remove(name);
                });
                if (column.isEmpty()) {
                    missing.add(wanted);
                }
            }
        }
        // What is left over on both sides belongs together, where one of two was recognised.
        if (missing.size() == 1 && free.size() == 1 && form.size() == 2) {
            names.put(free.get(0), missing.get(0));
        }
        return names;
    }

    private static boolean means(String column, String wanted) {
        String word = Normalizer.normalize(column, Normalizer.Form.NFD).toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{Alnum}]", "");
        return word.equals(wanted.replace("_", "")) || WORDS.getOrDefault(wanted, List.of()).contains(word);
    }

    /** As a shell takes it. */
    private static String quoted(String text) {
        return text.matches("[\\p{L}\\p{N}_.=+-]+") ? text : "\"" + text.replace("\"", "\\\"") + "\"";
    }
}
