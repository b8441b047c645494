package io.peft4j.eval.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.eval.comparison.ComparisonOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The built-in set is sound: its right choices are right, its wrong ones wrong. */
class GuardSetTest {
    private static final List<GuardItem> ITEMS = GuardSet.builtIn().items();

    @Test
    void theGuardSetIsComplete() {
        assertEquals(150, ITEMS.size());
        assertEquals(150, new HashSet<>(ITEMS.stream().map(GuardItem::question).toList()).size());
        Map<String, Long> categories = ITEMS.stream()
                .collect(Collectors.groupingBy(GuardItem::category, Collectors.counting()));
        assertEquals(Map.of("language", 30L, "arithmetic", 30L, "instructions", 30L, "knowledge", 35L, "refusals", 25L),
                categories);
    }

    @Test
    void onlyTheRightChoiceCountsAsRight() {
        for (GuardItem item : ITEMS) {
            assertTrue(item.isAnsweredBy(item.choices().get(0)), item.question());
            for (String wrong : item.choices().subList(1, item.choices().size())) {
                assertTrue(!item.isAnsweredBy(wrong) || item.category().equals("language"),
                        item.question() + ": " + wrong);
            }
            assertEquals(item.choices().size(), new HashSet<>(item.choices()).size(), item.question());
        }
    }

    @Test
    void itemsOfYourOwnCome(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("own.jsonl"), "{\"category\": \"house\", \"question\": \"Who?\", "
                + "\"choices\": [\"me\", \"you\"], \"accept\": [\"me\"]}\n");
        GuardSet both = GuardSet.builtIn().plus(GuardSet.read(file));
        assertEquals(151, both.items().size());
        assertTrue(both.items().get(150).isAnsweredBy("It was me."));
        for (String wrong : List.of("no JSON", "{\"question\": \"Who?\"}", "{\"category\": \"a\", \"question\": "
                + "\"Who?\", \"choices\": [\"me\"], \"accept\": [\"me\"]}")) {
            Files.writeString(file, "\n" + wrong + "\n");
            DataException e = assertThrows(DataException.class, () -> GuardSet.read(file));
            assertTrue(e.getMessage().contains("own.jsonl") && e.getMessage().contains("2"), e.getMessage());
        }
        Files.writeString(file, "");
        assertThrows(DataException.class, () -> GuardSet.read(file));
    }

    @Test
    void howSureAModelIsOfTheRightChoiceCounts() {
        boolean[] none = new boolean[150];
        double[] sure = new double[150];
        double[] less = new double[150];
        java.util.Arrays.fill(sure, 0.9);
        java.util.Arrays.fill(less, 0.6);
        List<String> answers = Collections.nCopies(150, "");
        GuardReport report = GuardReport.of(ITEMS, new GuardReport.GuardOutcomes(answers, none, sure),
                new GuardReport.GuardOutcomes(answers, none, less), ComparisonOptions.defaults().withResamples(1000));
        assertEquals(-0.15, report.overall().difference(), 1e-12);
        assertEquals(-0.3, report.parts().get(1).difference(), 1e-12);
    }

    @Test
    void forgettingIsReportedByCategory() {
        boolean[] all = new boolean[150];
        java.util.Arrays.fill(all, true);
        boolean[] noLanguage = all.clone();
        for (int i = 0; i < 150; i++) {
            noLanguage[i] = !ITEMS.get(i).category().equals("language");
        }
        List<String> answers = Collections.nCopies(150, "");
        GuardReport report = GuardReport.of(ITEMS, new GuardReport.GuardOutcomes(answers, all, all),
                new GuardReport.GuardOutcomes(answers, noLanguage, all),
                ComparisonOptions.defaults().withResamples(1000));
        assertEquals(-0.1, report.overall().difference(), 1e-12, "30 of 300 outcomes");
        assertTrue(report.overall().isWorse(0.05));
        assertEquals(List.of("generation", "choice", "language", "arithmetic", "instructions", "knowledge", "refusals"),
                report.parts().stream().map(part -> part.name()).toList());
        assertEquals(-0.5, report.parts().get(2).difference(), 1e-12);
        assertEquals(0, report.parts().get(3).difference(), 1e-12);
    }
}
