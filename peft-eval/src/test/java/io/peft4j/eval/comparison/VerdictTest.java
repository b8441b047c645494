package io.peft4j.eval.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.Verdict.Decision;
import io.peft4j.eval.comparison.internal.PairedOutcomes;
import io.peft4j.eval.comparison.internal.VerdictRules;
import io.peft4j.eval.metric.internal.Bleu;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Planted cases end in the right verdict. */
class VerdictTest {
    private static final ComparisonOptions OPTIONS = ComparisonOptions.defaults().withResamples(2000);

    /** Of n items, {@code both} are right twice, {@code lost} only before, {@code won} only after. */
    private static MetricResult outcome(String name, int n, int both, int lost, int won) {
        boolean[] base = new boolean[n];
        boolean[] tuned = new boolean[n];
        for (int i = 0; i < n; i++) {
            base[i] = i < both + lost;
            tuned[i] = i < both || i >= both + lost && i < both + lost + won;
        }
        return new PairedOutcomes(OPTIONS).yesNo(name, base, tuned).results().get(0);
    }

    private static Verdict decide(MetricResult metric) {
        return new VerdictRules(OPTIONS).decide(metric, List.of(), Optional.empty(), 0);
    }

    @Test
    void aBetterModelShips() {
        Verdict verdict = decide(outcome("contains", 88, 4, 0, 67));
        assertEquals(Decision.SHIP, verdict.decision());
        assertEquals(0, verdict.itemsNeeded());
        assertTrue(verdict.toString().startsWith("ship: 81 % of answers hold the expected fact against 4.5 %, "
                + "difference 76 points ["), verdict.toString());
    }

    @Test
    void anEqualModelDoesNotShip() {
        assertEquals(Decision.DO_NOT_SHIP, decide(outcome("contains", 100, 50, 0, 0)).decision());
        assertEquals(Decision.DO_NOT_SHIP, decide(outcome("contains", 1000, 500, 40, 41)).decision());
        Verdict few = decide(outcome("contains", 100, 40, 15, 15));
        assertEquals(Decision.NEED_MORE_ITEMS, few.decision());
        // (1.96 + 0.84)^2 0.3 / 0.05^2 = 942 in all.
        assertTrue(few.itemsNeeded() >= 800 && few.itemsNeeded() <= 900, few.toString());
    }

    @Test
    void aWorseModelDoesNotShip() {
        assertEquals(Decision.DO_NOT_SHIP, decide(outcome("contains", 100, 40, 20, 4)).decision());
        assertEquals(Decision.DO_NOT_SHIP, decide(outcome("contains", 100, 60, 6, 2)).decision());
    }

    @Test
    void tooFewItemsAskForMore() {
        Verdict verdict = decide(outcome("contains", 10, 2, 1, 4));
        assertEquals(Decision.NEED_MORE_ITEMS, verdict.decision());
        assertTrue(verdict.itemsNeeded() >= 30 && verdict.itemsNeeded() <= 60, verdict.toString());
        assertTrue(verdict.sentence().contains("10 items cannot tell"), verdict.sentence());
        assertEquals(Decision.NEED_MORE_ITEMS, decide(outcome("contains", 10, 5, 0, 0)).decision());
    }

    @Test
    void aModelThatForgetsTooMuchDoesNotShip() {
        MetricResult task = outcome("contains", 88, 4, 0, 67);
        MetricResult guard = outcome("guard", 150, 80, 40, 5);
        Verdict verdict = new VerdictRules(OPTIONS).decide(task, List.of(), Optional.of(guard), 0);
        assertEquals(Decision.DO_NOT_SHIP, verdict.decision());
        assertTrue(verdict.sentence().contains("forgot too much"), verdict.sentence());
        MetricResult fine = outcome("guard", 150, 80, 8, 5);
        assertEquals(Decision.SHIP,
                new VerdictRules(OPTIONS).decide(task, List.of(), Optional.of(fine), 0).decision());
    }

    @Test
    void leakedItemsGiveNoVerdictToShip() {
        Verdict verdict = new VerdictRules(OPTIONS).decide(outcome("contains", 88, 4, 0, 67), List.of(),
                Optional.empty(), 12);
        assertEquals(Decision.DO_NOT_SHIP, verdict.decision());
        assertTrue(verdict.sentence().contains("12 of 88 held-out items"), verdict.sentence());
    }

    @Test
    void identicalAnswersStillHaveAnInterval() {
        MetricResult same = outcome("contains", 10, 5, 0, 0);
        assertEquals(0, same.standardDeviation());
        // Tango's z^2 / (n + z^2) = 0.2775 stands for a deviation of 0.448; (2.262 + 0.883) 0.448 / sqrt(10).
        assertEquals(0.445, same.detectable(), 0.001);
        List<double[]> nothingMatches = Collections.nCopies(10, new Bleu().statistics("no", List.of("yes")));
        MetricResult bleu = new PairedOutcomes(OPTIONS).corpus(new Bleu(), nothingMatches, nothingMatches).results()
                .get(0);
        // As of ten scores without a difference, Bonett and Price: 1.96 sqrt((1/12 + 1/12) / 12) of 100.
        assertEquals(23.1, bleu.interval().high(), 0.1);
        assertEquals(-23.1, bleu.interval().low(), 0.1);
        assertEquals(Decision.NEED_MORE_ITEMS, decide(bleu).decision());
    }

    @Test
    void invalidOutcomesAreRefused() {
        PairedOutcomes outcomes = new PairedOutcomes(OPTIONS);
        assertThrows(ConfigurationException.class, () -> outcomes.yesNo("x", new boolean[2], new boolean[3]));
        assertThrows(ConfigurationException.class, () -> outcomes.yesNo("x", new boolean[0], new boolean[0]));
        assertThrows(ConfigurationException.class,
                () -> outcomes.scores("x", new double[] {0.5}, new double[] {Double.NaN}));
        assertThrows(ConfigurationException.class, () -> outcomes.scores("x", new double[] {1.5}, new double[] {1}));
    }
}
