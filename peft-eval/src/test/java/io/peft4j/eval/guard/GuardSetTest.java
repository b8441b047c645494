package io.peft4j.eval.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.eval.comparison.ComparisonOptions;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

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
    void forgettingIsReportedByCategory() {
        boolean[] all = new boolean[150];
        java.util.Arrays.fill(all, true);
        boolean[] noLanguage = all.clone();
        for (int i = 0; i < 150; i++) {
            noLanguage[i] = !ITEMS.get(i).category().equals("language");
        }
        List<String> answers = Collections.nCopies(150, "");
        GuardReport report = GuardReport.of(ITEMS, new GuardOutcomes(answers, all, all),
                new GuardOutcomes(answers, noLanguage, all), ComparisonOptions.defaults().withResamples(1000));
        assertEquals(-0.1, report.overall().difference(), 1e-12, "30 of 300 outcomes");
        assertTrue(report.overall().isWorse(0.05));
        assertEquals(List.of("generation", "choice", "language", "arithmetic", "instructions", "knowledge", "refusals"),
                report.parts().stream().map(part -> part.name()).toList());
        assertEquals(-0.5, report.parts().get(2).difference(), 1e-12);
        assertEquals(0, report.parts().get(3).difference(), 1e-12);
    }
}
