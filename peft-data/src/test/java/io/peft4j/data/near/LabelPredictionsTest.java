package io.peft4j.data.near;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.data.task.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class LabelPredictionsTest {
    private static final Map<String, List<String>> ENGLISH = Map.of("return", List.of("return", "send back",
            "give back"), "cancel", List.of("cancel", "stop", "call off"), "track",
            List.of("track", "follow", "locate"));
    private static final List<String> THINGS = List.of("order", "parcel", "book", "shoes", "lamp", "phone");
    private static final List<String> FORMS = List.of("I want to %s my %s", "how do I %s my %s", "can I %s the %s",
            "please help me %s this %s", "is it possible to %s a %s");
    private static final Map<String, List<String>> GERMAN = Map.of("Rechnung", List.of("die Abrechnung", "der Betrag",
            "die Rechnungsnummer"), "Versand", List.of("die Lieferung", "das Paket", "der Liefertermin"), "Vertrag",
            List.of("die Kündigung", "der Vertrag", "das Vertragsende"));
    private static final List<String> STATES = List.of("unklar", "falsch", "vom 1. April", "immer noch offen",
            "seit Montag ein Problem", "leider nicht richtig");
    private static final List<String> GERMAN_FORMS = List.of("Guten Tag, %s ist %s.", "Hallo, %s bleibt %s!",
            "Leider muss ich schreiben: %s ist %s.", "Bitte helfen Sie mir, %s ist %s.");

    private record Row(String text, String label) {
    }

    private static List<Row> rows(Map<String, List<String>> words, List<String> others, List<String> forms, int count) {
        List<Row> rows = new ArrayList<>();
        new TreeMap<>(words).forEach((label, some) -> some.forEach(word -> others.forEach(other -> forms
                .forEach(form -> rows.add(new Row(String.format(form, word, other), label))))));
        Collections.shuffle(rows, new Random(5));
        return rows.subList(0, count);
    }

    private static List<LabelCheck.Fault> faults(List<Row> rows) {
        LabelCheck check = new LabelCheck();
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            check.add(0, i + 1, List.of(new Statement.Label("label", "", row.text, List.of(row.label),
                    List.of(row.label), false)));
        }
        return check.faults(List.of("rows.jsonl"), text -> text).stream().filter(fault -> fault.code().equals(
                "label_outlier")).toList();
    }

    /** One row in twenty gets another label: how many of these are found, and how many others are doubted. */
    private static void assertFound(List<Row> right) {
        assertEquals(List.of(), faults(right));
        int found = 0;
        int doubted = 0;
        int planted = 0;
        List<String> labels = right.stream().map(Row::label).distinct().sorted().toList();
        for (int seed = 0; seed < 5; seed++) {
            List<Row> rows = new ArrayList<>(right);
            TreeSet<Long> wrong = new TreeSet<>();
            new Random(seed).ints(rows.size() / 20, 0, rows.size()).distinct().forEach(i -> {
                String other = labels.get((labels.indexOf(rows.get(i).label) + 1) % labels.size());
                rows.set(i, new Row(rows.get(i).text, other));
                wrong.add(i + 1L);
            });
            TreeSet<Long> lines = faults(rows).stream().flatMap(fault -> fault.lines().stream())
                    .collect(Collectors.toCollection(TreeSet::new));
            planted += wrong.size();
            found += (int) wrong.stream().filter(lines::contains).count();
            doubted += (int) lines.stream().filter(line -> !wrong.contains(line)).count();
        }
        assertTrue(found >= 0.8 * planted, found + " of " + planted);
        assertTrue(doubted <= 0.01 * 5 * right.size(), doubted + " right ones of " + 5 * right.size());
    }

    @Test
    void wrongLabelsOfEnglishIntentsAreFound() {
        assertFound(rows(ENGLISH, THINGS, FORMS, 150));
    }

    @Test
    void wrongLabelsOfFewGermanMessagesAreFound() {
        assertFound(rows(GERMAN, STATES, GERMAN_FORMS, 100));
    }

    @Test
    void aFindingNamesTheRowAndTheLabelThatIsMeant() {
        List<Row> rows = new ArrayList<>(rows(ENGLISH, THINGS, FORMS, 60));
        rows.add(new Row("I want to send back my lamps", "track"));
        List<LabelCheck.Fault> faults = faults(rows);
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).sentence().matches("line 61: has the label 'track', unlike similar rows: did you mean "
                + "'return', as in line \\d+, line \\d+, line \\d+\\?"), faults.get(0).sentence());
        assertFalse(faults.get(0).error());
    }

    /** Among more labels, or after more rows, the time would grow with their product. */
    @Test
    void wrongLabelsAreLookedForAmongTheFirstRowsOfNotTooManyLabels() {
        List<Row> some = rows(ENGLISH, THINGS, FORMS, 150);
        List<Row> rows = new ArrayList<>(some);
        for (int i = 0; i < 20_000; i++) {
            rows.add(new Row("case number " + i, "label " + i));
        }
        rows.set(60, new Row("I want to send back my lamps", "track"));
        assertEquals(List.of(), faults(rows));
        for (int i = 150; i < rows.size(); i++) {
            Row row = some.get(i % 150);
            rows.set(i, new Row(row.text + " number " + i, row.label));
        }
        rows.set(15_000, new Row("I want to send back my lamps number 15", "track"));
        assertEquals(List.of(61L), faults(rows).stream().flatMap(fault -> fault.lines().stream()).toList());
    }

    @Test
    void labelsThatTextsDoNotTellAreNotDoubted() {
        for (int seed = 0; seed < 5; seed++) {
            List<Row> rows = rows(ENGLISH, THINGS, FORMS, 150);
            List<String> labels = new ArrayList<>(rows.stream().map(Row::label).toList());
            Collections.shuffle(labels, new Random(seed));
            List<Row> shuffled = new ArrayList<>();
            for (int i = 0; i < rows.size(); i++) {
                shuffled.add(new Row(rows.get(i).text, labels.get(i)));
            }
            assertEquals(List.of(), faults(shuffled));
        }
    }
}
