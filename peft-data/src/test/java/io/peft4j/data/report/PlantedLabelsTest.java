package io.peft4j.data.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.data.report.FindingCode.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults planted in rows with labels of every kind are all found, and nothing else is. */
class PlantedLabelsTest {
    private static final List<String> LABELS = List.of("billing", "login", "delivery", "refund", "Rechnung");
    private static final List<String> THINGS = List.of("lamp", "chair", "printer", "window", "locker", "plant",
            "carpet",
            "shelf", "engine", "bottle", "jacket", "ladder", "mirror", "pencil", "radio", "saddle", "teapot", "violin",
            "wallet", "zipper");
    private static final List<String> PLACES = List.of("Lisbon", "Munich", "Zurich", "Porto", "Graz", "Basel", "Kiel",
            "Cork", "Bergen", "Turin");

    @TempDir
    private Path folder;

    /** Rows of a kind: clean ones, and planted ones by the code that finds them. */
    private static final class Planted {
        private final String name;
        private final List<String> rows = new ArrayList<>();
        private final TreeMap<String, TreeSet<Long>> faults = new TreeMap<>();

        Planted(String name) {
            this.name = name;
        }

        Planted clean(String row, Object... values) {
            rows.add(String.format(Locale.ROOT, row, values).replace('\'', '"'));
            return this;
        }

        /** A row with a fault, and the earlier rows that the fault is about. */
        Planted fault(String code, List<Integer> earlier, String row, Object... values) {
            clean(row, values);
            TreeSet<Long> lines = faults.computeIfAbsent(code, c -> new TreeSet<>());
            lines.add((long) rows.size());
            earlier.forEach(line -> lines.add((long) line));
            return this;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static String text(int i) {
        return "my " + THINGS.get(i % THINGS.size()) + " from " + PLACES.get(i / THINGS.size() % PLACES.size())
                + " needs somebody";
    }

    private static Planted texts() {
        String row = "{'text': '%s', 'label': '%s'}";
        Planted set = new Planted("texts");
        for (int i = 0; i < 100; i++) {
            set.clean(row, text(i), LABELS.get(i % 5));
        }
        for (int i = 100; i < 120; i++) {
            set.clean(row, text(i), i % 4 == 0 ? "A1" : i % 4 == 1 ? "A2" : i % 4 == 2 ? "read" : "unread");
        }
        set.clean(row, text(120), "invalid").clean(row, text(121), "valid").clean(row, text(122), "A3");
        return set.fault("contradiction", List.of(1), row, text(0), "login")
                .fault("contradiction", List.of(2), row, "  " + text(1).replace(" from", "  from"), "refund")
                .fault("contradiction", List.of(3), row, text(2).toUpperCase(Locale.ROOT) + "!", "billing")
                .fault("label_typo", List.of(), row, text(130), "biling")
                .fault("label_typo", List.of(), row, text(131), "Rechnug")
                .fault("label_typo", List.of(), row, text(132), "lgoin")
                .fault("label_spelling", List.of(), row, text(133), "login ")
                .fault("label_spelling", List.of(), row, text(134), "Billing")
                .fault("missing_content", List.of(), "{'text': '%s', 'label': ' '}", text(135))
                .fault("missing_content", List.of(), "{'text': '%s'}", text(136));
    }

    private static Planted several() {
        String row = "{'text': '%s', 'label': ['%s', '%s']}";
        Planted set = new Planted("several labels");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), LABELS.get(i % 5), LABELS.get((i + 2) % 5));
        }
        return set.clean(row, text(61), "urgent", "argent")
                .fault("contradiction", List.of(1), row, text(0), "login", "billing")
                .fault("label_typo", List.of(), row, text(70), "deliveri", "refund")
                .fault("label_spelling", List.of(), row, text(71), "REFUND", "login");
    }

    private static Planted soft() {
        String row = "{'text': '%s', 'label_probabilities': {'%s': %s, '%s': %s}}";
        Planted set = new Planted("probabilities");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), LABELS.get(i % 5), "0.7", LABELS.get((i + 1) % 5), "0.3");
        }
        return set.fault("contradiction", List.of(2), row, text(1), "login", "0.4", "delivery", "0.6")
                .fault("invalid_row", List.of(), row, text(70), "login", "0.4", "delivery", "0.7")
                .fault("label_typo", List.of(), row, text(72), "biling", "0.4", "delivery", "0.6");
    }

    private static Planted pairs() {
        String row = "{'text': '%s', 'text_pair': '%s', 'label': '%s'}";
        Planted set = new Planted("pairs");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), text(i + 60), i % 2 == 0 ? "entailment" : "neutral");
            set.clean(row, text(i), text(i + 90), "contradiction");
        }
        return set.fault("contradiction", List.of(1), row, text(0), text(60), "neutral")
                .fault("label_typo", List.of(), row, text(190), text(191), "entailmnet")
                .fault("label_spelling", List.of(), row, text(192), text(193), " neutral")
                .fault("invalid_row", List.of(), "{'text': '%s', 'text_pair': 7, 'label': 'neutral'}", text(194));
    }

    private static Planted words() {
        String row = "{'tokens': ['%s', 'Miller', 'lives', 'in', '%s'], 'labels': ['B-PER', 'I-PER', 'O', 'O', '%s']}";
        Planted set = new Planted("words");
        for (int i = 0; i < 60; i++) {
            set.clean(row, THINGS.get(i % 20), PLACES.get(i / 20), "B-LOC");
        }
        return set.fault("contradiction", List.of(1), row, THINGS.get(0), PLACES.get(0), "B-ORG")
                .fault("invalid_row", List.of(), row.replace("'O', 'O', ", "'O', "), THINGS.get(1), PLACES.get(5),
                        "B-LOC")
                .fault("invalid_row", List.of(), row, THINGS.get(2), PLACES.get(5), "I-LOC")
                .fault("invalid_row", List.of(), row.replace("B-PER", "B-LOC"), THINGS.get(3), PLACES.get(5), "B-LOC")
                .fault("label_typo", List.of(), row.replace("-PER", "-PERS"), THINGS.get(4), PLACES.get(5), "B-LOC")
                .fault("label_spelling", List.of(), row, THINGS.get(5), PLACES.get(5), "b-loc")
                .fault("invalid_row", List.of(), "{'tokens': ['a']}");
    }

    /** In some sets an entity begins with I-, and B- parts two neighbours: no row of these is wrong. */
    private static Planted wordsOfAnotherScheme() {
        Planted set = new Planted("words whose entities begin with I-");
        for (int i = 0; i < 40; i++) {
            set.clean("{'tokens': ['%s', 'met', '%s', '%s'], 'labels': ['I-PER', 'O', 'I-PER', '%s']}",
                    THINGS.get(i % 20), THINGS.get((i + 7) % 20), PLACES.get(i / 10), i % 9 == 0 ? "B-PER" : "O");
        }
        return set;
    }

    private static Planted neighbours() {
        String row = "{'anchor': '%s', 'positive': '%s', 'negative': '%s'}";
        Planted set = new Planted("texts that belong together");
        for (int i = 0; i < 60; i++) {
            set.clean(row, "where is " + text(i), text(i + 60), text(i + 90));
        }
        return set.fault("invalid_row", List.of(), row, "where is " + text(150), text(1), text(1))
                .fault("invalid_row", List.of(), row, text(151), text(151), text(2))
                .fault("invalid_row", List.of(), row, "where is " + text(152), "", text(2))
                .fault("contradiction", List.of(3), row, "where is " + text(2), text(92), text(160));
    }

    private static Planted rankings() {
        String row = "{'query': '%s', 'documents': ['%s', '%s'], 'labels': [%s]}";
        Planted set = new Planted("rankings");
        for (int i = 0; i < 60; i++) {
            set.clean(row, "where is " + text(i), text(i + 60), text(i + 90), "1, 0");
        }
        return set.fault("contradiction", List.of(1), row, "where is " + text(0), text(60), text(170), "0, 0")
                .fault("invalid_row", List.of(), row, "where is " + text(171), text(1), text(2), "1")
                .fault("invalid_row", List.of(), row, "where is " + text(172), text(1), text(2), "1, -3");
    }

    private static Planted decisions() {
        String row = "{'state': '%s', 'questions': {'team': {'type': 'choice', 'instructions': 'Who handles it?', "
                + "'criteria': ['%s', 'login', 'delivery']}}, %s}";
        Planted set = new Planted("decisions");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), "billing", "'expected': {'team': '" + LABELS.get(i % 3) + "'}");
        }
        return set.clean(row.replace("Who handles it?", "Who handles it not?"), text(0), "billing",
                "'expected': {'team': 'login'}")
                .fault("contradiction", List.of(1), row, text(0), "billing", "'expected': {'team': 'login'}")
                .fault("contradiction", List.of(2), row, text(1), "billing", "'gold': {'team': {'probabilities': "
                        + "{'billing': 0.8, 'login': 0.2, 'delivery': 0}}}")
                .fault("invalid_row", List.of(), row, text(70), "billing", "'expected': {'team': 'biling'}")
                .fault("invalid_row", List.of(), row, text(71), "billing", "'gold': {'team': {'probabilities': "
                        + "{'billing': 0.8, 'login': 0.4}}}")
                .fault("invalid_row", List.of(), row, text(72), "billing", "'expected': {'tem': 'billing'}")
                .fault("invalid_row", List.of(), row, text(73), "billing", "'note': 1")
                .fault("label_typo", List.of(), row, text(74), "biling", "'expected': {'team': 'login'}");
    }

    private static Planted preferences() {
        String row = "{'prompt': 'Where is %s?', 'chosen': '%s', 'rejected': '%s'}";
        Planted set = new Planted("preferences");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), "It stands in the " + THINGS.get(i % 20) + " room.", "No idea about "
                    + PLACES.get(i / 20) + ".");
        }
        // A ranking of three answers.
        set.clean(row, text(80), "Take the train at noon.", "Walk.").clean(row, text(80), "Fly.",
                "Take the train at noon.");
        return set.fault("contradiction", List.of(1), row, text(0), "No idea about Lisbon.",
                "It stands in the lamp room.")
                .fault("equal_answers", List.of(), row, text(90), "In the hall.", "In the hall.")
                .fault("contradiction", List.of(64 + 1), row, text(91), "It opens at 8.", "Never.")
                .fault("contradiction", List.of(), row, text(91), "It opens at 9.", "Never ever.")
                .fault("missing_content", List.of(), row, text(92), "", "Never.");
    }

    private static Planted judged() {
        String row = "{'messages': [{'role': 'user', 'content': 'Where is %s?'}, {'role': 'assistant', 'content': "
                + "'%s'}], 'label': %s}";
        Planted set = new Planted("judged answers");
        for (int i = 0; i < 40; i++) {
            set.clean(row, text(i), "It stands on floor " + i + ".", "true");
            set.clean(row, text(i), "It stands on floor " + (i + 3) + ".", "false");
        }
        return set.fault("contradiction", List.of(1), row, text(0), "It stands on floor 0.", "false")
                .fault("invalid_row", List.of(), row, text(70), "Here.", "'maybe'");
    }

    private static Planted chats() {
        String row = "{'messages': [{'role': 'user', 'content': '%s'}, {'role': 'assistant', 'content': '%s'}]}";
        Planted set = new Planted("chats whose answers are labels");
        for (int i = 0; i < 60; i++) {
            set.clean(row, text(i), LABELS.get(i % 5));
        }
        return set.fault("contradiction", List.of(1), row, text(0), "login")
                .fault("label_typo", List.of(), row, text(70), "biling")
                .fault("label_spelling", List.of(), row, text(73), "Refund");
    }

    static Stream<Planted> sets() {
        return Stream.of(texts(), several(), soft(), pairs(), words(), wordsOfAnotherScheme(), neighbours(), rankings(),
                decisions(), preferences(), judged(), chats());
    }

    @ParameterizedTest
    @MethodSource("sets")
    void plantedFaultsAreAllFoundAndNothingElse(Planted set) throws IOException {
        DataReport report = DataCheck.of(Files.write(folder.resolve("rows.jsonl"), set.rows)).run();
        Map<String, TreeSet<Long>> found = new TreeMap<>(report.findings().stream()
                .filter(finding -> finding.severity() != Severity.INFO)
                .collect(Collectors.groupingBy(finding -> finding.code().code(),
                        Collectors.flatMapping(finding -> finding.lines().stream(),
                                Collectors.toCollection(TreeSet::new)))));
        assertEquals(set.faults, found, () -> report.findings().toString().replace("Finding[", "\n"));
    }
}
