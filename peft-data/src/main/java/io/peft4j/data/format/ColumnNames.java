package io.peft4j.data.format;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which columns of a user's table are those of a format: by the names that people give to them, in some languages,
 * and by their cells. A form is a list of a format's names; one that ends in {@code ?} need not be there.
 */
final class ColumnNames {
    /** What the rows of a table have in the formats that tables can hold; the first is what is trained on most. */
    static final List<List<String>> FORMS = List.of(List.of("question", "answer"), List.of("prompt", "completion"),
            List.of("instruction", "output"), List.of("text", "label"), List.of("prompt", "chosen", "rejected"),
            List.of("source", "target"), List.of("anchor", "positive"));
    /** Keys of rows that no person calls a column. */
    static final Set<String> KEYS = Set.of("messages", "conversations", "contents", "state", "tokens", "input_ids",
            "documents", "samples", "item");
    private static final Map<String, List<String>> WORDS = new LinkedHashMap<>();
    /** The format's own name, one of its words, such a word within a name, by its content, what is left over. */
    private static final int EXACT = 4;
    private static final int WORD = 3;
    private static final int WITHIN = 2;
    private static final int CONTENT = 1;
    private static final int LEFT = 0;
    private static final int SHORTEST_SUFFIX = 5;

    static {
        List<String> questions = words("question questions frage fragen kundenfrage anfrage q query ask pregunta "
                + "preguntas domanda vraag pergunta prompt instruction user userquestion input");
        List<String> answers = words("answer answers antwort antworten a response reply respuesta respuestas reponse "
                + "reponses risposta antwoord resposta completion output assistant loesung losung antworttext");
        List<String> texts = words("text content body message nachricht inhalt beschreibung description comment "
                + "kommentar review ticket email texte texto testo tekst sentence satz document dokument betreff "
                + "mensaje commentaire");
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
                + "typ categorie categoria classe clase etikett etiqueta"));
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

    /**
     * A column.
     *
     * @param samples some of its cells that are not empty
     */
    record Column(String name, List<String> samples) {
        private static final String DATA = "[\\d\\s.,:/+%()\u20ac$-]+|\\p{Alpha}{0,5}[-_#./]?\\d[\\d._/-]*"
                + "|\\d{4}-\\d\\d-\\d\\d.*|\\p{XDigit}{8}-[\\p{XDigit}-]+|\\S+@\\S+|https?:\\S+|true|false|\\[.*|\\{.*";

        /** Whether most cells are numbers, dates, identifiers or addresses. */
        boolean holdsData() {
            return share(DATA) > 0.8;
        }

        private double share(String expression) {
            return samples.stream().filter(text -> text.strip().matches(expression)).count()
                    / (double) Math.max(1, samples.size());
        }

        private double words() {
            return samples.stream().mapToInt(text -> text.strip().split("\\s+").length).average().orElse(0);
        }

        /** Whether its cells can be what a format calls so. */
        private boolean looksLike(String wanted) {
            boolean asks = share("(?s).*[?\uff1f]") >= 0.5;
            boolean prose = !holdsData() && words() >= 3;
            return switch (wanted) {
                case "question" -> asks && prose;
                case "answer" -> prose && !asks;
                case "text" -> prose;
                case "label" -> !holdsData() && words() < 3 && samples.size() >= 6
                        && samples.stream().distinct().count() * 3 <= samples.size();
                default -> false;
            };
        }

        /** How surely this is what a format calls so; negative where it is not. */
        private int rank(String wanted) {
            String word = plain(name);
            List<String> known = WORDS.getOrDefault(wanted, List.of());
            if (word.equals(plain(wanted))) {
                return EXACT;
            }
            // Two words are no one: "Antwort EN" is not "Antworten".
            if (known.contains(word) && !name.strip().matches(".*[^\\p{L}\\p{N}].*")) {
                return WORD;
            }
            // Of a message that is answered or classified some say question, and some text.
            String other = wanted.equals("text") ? "question" : wanted.equals("question") ? "text" : "";
            boolean within = WORDS.getOrDefault(other, List.of()).contains(word)
                    || Arrays.stream(name.split("[^\\p{L}\\p{N}]+|(?<=\\p{Ll})(?=\\p{Lu})")).map(ColumnNames::plain)
                            .anyMatch(known::contains)
                    || known.stream().anyMatch(end -> end.length() >= SHORTEST_SUFFIX && word.endsWith(end));
            if (within && !holdsData()) {
                return WITHIN;
            }
            return looksLike(wanted) && !meansOtherThan(wanted) ? CONTENT : -1;
        }

        /** Whether its name says that it is something else; a text can be anything. */
        private boolean meansOtherThan(String wanted) {
            String word = plain(name);
            List<String> same = WORDS.getOrDefault(wanted, List.of());
            return !WORDS.get("text").contains(word) && !same.contains(word)
                    && WORDS.entrySet().stream().anyMatch(entry -> plain(entry.getKey()).equals(word)
                            || entry.getValue().contains(word));
        }
    }

    /**
     * How a form fits a table.
     *
     * @param names the form's names by column
     * @param unclear columns of which each could be what the form calls so
     * @param level the least sure of the names; negative where some are missing
     */
    record Fit(List<String> form, Map<String, String> names, Map<String, List<String>> unclear, double level) {
        boolean isWhole() {
            return level >= 0;
        }

        /** Names as a shell takes them: {@code Frage=question, Antwort=answer}. */
        static String renaming(Map<String, String> names) {
            return names.entrySet().stream().filter(name -> !name.getKey().equals(name.getValue()))
                    .map(name -> name.getKey() + "=" + name.getValue())
                    .map(text -> text.matches("[\\p{L}\\p{N}_.=+-]+") ? text : "\"" + text.replace("\"", "\\\"") + "\"")
                    .collect(Collectors.joining(", "));
        }

        /** What the columns could be called: each choice where several could be the same, else texts first. */
        List<Map<String, String>> proposals(List<Column> columns) {
            List<Map<String, String>> proposals = new ArrayList<>();
            unclear.forEach((name, choices) -> choices.forEach(choice -> {
                Map<String, String> one = new LinkedHashMap<>(names);
                one.put(choice, name);
                proposals.add(one);
            }));
            if (proposals.isEmpty()) {
                Map<String, String> one = new LinkedHashMap<>(names);
                columns.stream().sorted(Comparator.comparing(Column::holdsData)).filter(column -> !one.containsKey(
                        column.name())).forEach(column -> form.stream()
                                .filter(name -> !name.endsWith("?")
                                        && !one.containsValue(name) && !column.meansOtherThan(name))
                                .findFirst()
                                .ifPresent(name -> one.put(column.name(), name)));
                proposals.add(one);
            }
            return proposals;
        }
    }

    /** All forms, those that fit best first. */
    static List<Fit> fits(Collection<Column> columns, List<List<String>> forms) {
        return forms.stream().map(form -> fit(columns, form)).sorted(Comparator
                .comparing((Fit fit) -> !fit.isWhole() ? 2 : fit.form().size() == 1 ? 1 : 0)
                .thenComparing(Comparator.comparingDouble(Fit::level).reversed())).toList();
    }

    private static Fit fit(Collection<Column> columns, List<String> form) {
        List<Column> free = new ArrayList<>(columns);
        Map<String, String> names = new LinkedHashMap<>();
        Map<String, List<String>> unclear = new LinkedHashMap<>();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        // One column alone is never told by its content.
        for (int rank = EXACT; rank >= (form.size() == 1 ? WITHIN : CONTENT); rank--) {
            for (String each : form) {
                String wanted = each.replace("?", "");
                int least = each.equals(wanted) ? rank : Math.max(rank, WORD);
                List<Column> found = ranks.containsKey(wanted) ? List.of() : best(free, wanted, least);
                if (found.size() == 1) {
                    names.put(found.get(0).name(), wanted);
                    free.remove(found.get(0));
                } else if (found.size() > 1) {
                    unclear.put(wanted, found.stream().map(Column::name).toList());
                }
                if (!found.isEmpty()) {
                    ranks.put(wanted, rank);
                }
            }
        }
        List<String> needed = form.stream().filter(name -> !name.endsWith("?")).toList();
        List<String> missing = needed.stream().filter(name -> !ranks.containsKey(name)).toList();
        // What is left over on both sides belongs together, where one of two was recognised.
        if (missing.size() == 1 && needed.size() == 2 && free.size() == 1 && unclear.isEmpty()
                && !free.get(0).meansOtherThan(missing.get(0)) && !free.get(0).holdsData()) {
            names.put(free.get(0).name(), missing.get(0));
            ranks.put(missing.get(0), LEFT);
        }
        double level = ranks.keySet().containsAll(needed) ? needed.stream().mapToInt(ranks::get).min().orElse(0)
                + needed.stream().mapToInt(ranks::get).average().orElse(0) / (EXACT + 1)
                : -1.0 / (1 + ranks.size());
        return new Fit(form, names, unclear, level);
    }

    /** The columns of a rank; of several those whose content says so, too. */
    private static List<Column> best(List<Column> free, String wanted, int rank) {
        List<Column> found = free.stream().filter(column -> column.rank(wanted) == rank).toList();
        List<Column> alike = found.stream().filter(column -> column.looksLike(wanted)).toList();
        return found.size() > 1 && alike.size() == 1 ? alike : found;
    }

    /** The forms that have a column of this name. */
    static List<List<String>> formsWith(String name) {
        List<List<String>> forms = FORMS.stream().filter(form -> form.contains(name)).toList();
        return forms.isEmpty() ? List.of(List.of(name)) : forms;
    }

    /** Whether a format has a key of this name. */
    static boolean isKnown(String name) {
        return WORDS.containsKey(name);
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
     * @param forms the columns that each form needs
     * @return empty where nothing fits
     */
    static Optional<String> advice(Collection<String> present, List<List<String>> forms) {
        List<Column> columns = present.stream().map(name -> new Column(name, List.of())).toList();
        return fits(columns, forms).stream().filter(fit -> fit.isWhole() && fit.unclear().isEmpty())
                .map(fit -> Fit.renaming(fit.names())).filter(names -> !names.isEmpty()).findFirst();
    }

    private static String plain(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFD).toLowerCase(Locale.ROOT).replaceAll("[^\\p{Alnum}]", "");
    }
}
