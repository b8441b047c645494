package io.peft4j.eval.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.eval.comparison.Verdict.Decision;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * 2,000 simulated evaluations with no real difference, of 10 to 1,000 items: intervals hold 0 as often as they say, and
 * hardly any evaluation finds a difference.
 */
class SimulationTest {
    private static final int[] SIZES = {10, 20, 50, 100, 200, 500, 1000};
    private static final int RUNS = 2000;

    private static double score(SplittableRandom random, double ease, double gain) {
        return Math.min(1, Math.max(0, ease + gain + 0.4 * (random.nextDouble() - 0.5)));
    }

    /** Token-F1-like scores: hard and easy items that both models feel, cut at 0 and 1. */
    private static MetricResult scores(SplittableRandom random, int n, double gain) {
        double[] base = new double[n];
        double[] tuned = new double[n];
        for (int i = 0; i < n; i++) {
            double ease = 1.2 * random.nextDouble() - 0.1;
            base[i] = score(random, ease, 0);
            tuned[i] = score(random, ease, gain);
        }
        return outcomes(random).scores("token_f1", base, tuned).results().get(0);
    }

    /** Right and wrong, half of the items answered differently. */
    private static MetricResult yesNo(SplittableRandom random, int n) {
        boolean[] base = new boolean[n];
        boolean[] tuned = new boolean[n];
        for (int i = 0; i < n; i++) {
            base[i] = random.nextBoolean();
            tuned[i] = random.nextBoolean();
        }
        return outcomes(random).yesNo("contains", base, tuned).results().get(0);
    }

    private static PairedOutcomes outcomes(SplittableRandom random) {
        return new PairedOutcomes(ComparisonOptions.defaults().withResamples(500).withSeed(random.nextLong()));
    }

    /** Where nothing is lost elsewhere. */
    private static Decision decide(MetricResult result) {
        MetricResult kept = new PairedOutcomes(ComparisonOptions.defaults()).yesNo("guard", new boolean[150],
                new boolean[150]).results().get(0);
        return new VerdictRules(ComparisonOptions.defaults()).decide(Evidence.of(result).withGuard(kept)).decision();
    }

    @Test
    void intervalsHoldTheTruthAndVerdictsAreRarelyFalse() {
        SplittableRandom random = new SplittableRandom(1);
        int held = 0;
        int falseVerdicts = 0;
        for (int run = 0; run < RUNS; run++) {
            int n = SIZES[run % SIZES.length];
            MetricResult result = run / SIZES.length % 2 == 0 ? scores(random, n, 0) : yesNo(random, n);
            held += result.interval().contains(0) ? 1 : 0;
            falseVerdicts += isFalse(result) ? 1 : 0;
        }
        double coverage = (double) held / RUNS;
        assertTrue(coverage >= 0.93 && coverage <= 0.97, "coverage " + coverage);
        assertTrue(falseVerdicts <= 0.05 * RUNS, falseVerdicts + " false verdicts");
    }

    @Test
    @Tag("full")
    void intervalsHoldTheTruthForEveryNumberOfItems() {
        SplittableRandom random = new SplittableRandom(2);
        for (int n : new int[] {10, 20, 30, 50, 100}) {
            int scoresHeld = 0;
            int yesNoHeld = 0;
            int falseVerdicts = 0;
            for (int run = 0; run < RUNS; run++) {
                MetricResult scores = scores(random, n, 0);
                MetricResult yesNo = yesNo(random, n);
                scoresHeld += scores.interval().contains(0) ? 1 : 0;
                yesNoHeld += yesNo.interval().contains(0) ? 1 : 0;
                falseVerdicts += (isFalse(scores) ? 1 : 0) + (isFalse(yesNo) ? 1 : 0);
            }
            // The standard error of a share of 2,000 is 0.5 %.
            checkCoverage("scores", n, (double) scoresHeld / RUNS);
            checkCoverage("yes/no", n, (double) yesNoHeld / RUNS);
            assertTrue(falseVerdicts <= 0.05 * 2 * RUNS, falseVerdicts + " false verdicts with " + n + " items");
        }
    }

    private static void checkCoverage(String kind, int n, double coverage) {
        assertTrue(coverage >= 0.93 && coverage <= 0.97, kind + ": coverage with " + n + " items: " + coverage);
    }

    private static boolean isFalse(MetricResult result) {
        return decide(result) == Decision.SHIP || result.isWorse(0.05);
    }

    @Test
    void aRealGainIsFoundAsOftenAsPromised() {
        SplittableRandom random = new SplittableRandom(3);
        double gain = 0.1;
        MetricResult pilot = scores(random, 1000, gain);
        int needed = ComparisonOptions.defaults().power().itemsNeeded(pilot.standardDeviation(), pilot.difference());
        int found = 0;
        for (int run = 0; run < 500; run++) {
            found += scores(random, needed, gain).pValue() < 0.05 ? 1 : 0;
        }
        // 80 % are promised; 500 runs have a standard error of 1.8 %, the pilot's own error adds about as much.
        assertEquals(0.8, found / 500.0, 0.07);
    }
}
