package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Verdict.Decision;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.guard.GuardReport.GuardOutcomes;
import io.peft4j.eval.guard.GuardSet;
import java.util.Collections;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The verdict about preferences follows the margins. */
class PreferenceReportTest {
    private static final ComparisonOptions OPTIONS = ComparisonOptions.defaults();

    private static final GuardReport KEPT = GuardReport.of(GuardSet.builtIn().items(), half(), half(), OPTIONS);

    /** Every other item of the guard set right, in both forms. */
    private static GuardOutcomes half() {
        boolean[] right = new boolean[GuardSet.builtIn().items().size()];
        for (int i = 0; i < right.length; i += 2) {
            right[i] = true;
        }
        return new GuardOutcomes(Collections.nCopies(right.length, ""), right, right);
    }

    /** Margins of a base, and of a model whose margins lie higher by a normal difference. */
    private static PreferenceReport report(int pairs, double gain, double deviation) {
        SplittableRandom random = new SplittableRandom(5);
        double[] base = new double[pairs];
        double[] tuned = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            base[i] = 20 * random.nextGaussian();
            tuned[i] = base[i] + gain + deviation * random.nextGaussian();
        }
        return PreferenceReport.of(base, tuned, Optional.of(KEPT), 2, OPTIONS);
    }

    @Test
    void marginsThatGrowInAllPairsShip() {
        PreferenceReport report = report(20, 8, 2);

        assertEquals(Decision.SHIP, report.verdict().decision());
        assertTrue(report.margin().interval().low() > 6 && report.margin().interval().high() < 10,
                report.verdict().sentence());
        assertTrue(report.margin().interval().contains(report.margin().difference()));
        assertTrue(report.verdict().sentence().contains("on 20 held-out pairs (p "), report.verdict().sentence());
        assertTrue(report.toMarkdown().contains("20 pairs, 2 left out"), report.toMarkdown());
        assertTrue(report.toJson().contains("\"decision\":\"ship\"") && report.toJson().contains("\"left_out\":2"));
    }

    @Test
    void marginsThatShrinkDoNotShip() {
        assertEquals(Decision.DO_NOT_SHIP, report(20, -8, 2).verdict().decision());
    }

    @Test
    void fewPairsThatDisagreeNeedMore() {
        PreferenceReport report = report(8, 1, 6);

        assertEquals(Decision.NEED_MORE_ITEMS, report.verdict().decision());
        assertTrue(report.verdict().itemsNeeded() > 10, report.verdict().sentence());
        assertTrue(report.margin().interval().contains(0));
    }

    @Test
    void threePairsNeedAsManyMoreAsTheTestCanDecideWith() {
        PreferenceReport report = PreferenceReport.of(new double[] {1, 2, 3}, new double[] {4, 4.9, 6.2},
                Optional.of(KEPT), 0, OPTIONS);

        assertEquals(Decision.NEED_MORE_ITEMS, report.verdict().decision());
        // The margin decides: 6 pairs that all move the same way have 2 / 2^6 = 0.03, 5 have 0.06.
        assertTrue(3 + report.verdict().itemsNeeded() >= 6, report.verdict().sentence());
        assertEquals(Decision.SHIP, report(6, 8, 0.5).verdict().decision());
        assertEquals(Decision.NEED_MORE_ITEMS, report(5, 8, 0.5).verdict().decision());
    }

    @Test
    void withoutGuardSetHarmIsNotKnown() {
        PreferenceReport report = PreferenceReport.of(new double[20],
                IntStream.range(0, 20).mapToDouble(i -> 5 + i).toArray(), Optional.empty(), 0, OPTIONS);

        assertEquals(Decision.HARM_NOT_KNOWN, report.verdict().decision());
        assertTrue(report.toJson().contains("\"decision\":\"harm_not_known\""), report.toJson());
    }

    @Test
    void anIntervalOfAFewEqualDifferencesIsNotOfNoWidth() {
        double[] base = {1, 2, 3};
        PreferenceReport report = PreferenceReport.of(base, new double[] {2, 3, 4}, Optional.empty(), 0,
                OPTIONS);

        assertTrue(report.margin().interval().low() < 0.5, report.verdict().sentence());
        assertEquals(Decision.DO_NOT_SHIP, PreferenceReport.of(base, base, Optional.empty(), 0, OPTIONS)
                .verdict().decision());
        assertThrows(ConfigurationException.class, () -> PreferenceReport.of(base, new double[] {1, 2, Double.NaN},
                Optional.empty(), 0, OPTIONS));
    }

    /** Of models that do not differ, about 5 % of all sets of pairs say that they do. */
    @Test
    void intervalsHoldTheTruthAsOftenAsTheySay() {
        SplittableRandom random = new SplittableRandom(3);
        int held = 0;
        for (int set = 0; set < 200; set++) {
            double[] base = new double[15];
            double[] tuned = new double[15];
            for (int i = 0; i < base.length; i++) {
                tuned[i] = 3 * random.nextGaussian();
            }
            held += PreferenceReport.of(base, tuned, Optional.empty(), 0, OPTIONS.withResamples(500)).margin()
                    .interval().contains(0) ? 1 : 0;
        }
        assertTrue(held >= 180, held + " of 200");
    }
}
