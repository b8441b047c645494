package io.peft4j.eval.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.commons.math3.special.Gamma;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Tango's interval equals its definition, which {@code make_paired.py} evaluates by numerical maximization, and
 * published examples; how often it holds the truth is computed for all outcomes, not simulated.
 */
class TangoIntervalTest {
    private static JsonNode fixtures;

    @BeforeAll
    static void read() throws IOException {
        fixtures = new ObjectMapper().readTree(
                Path.of("src/test/resources/fixtures/statistics/paired.json").toFile());
        assertEquals(36, fixtures.get("no_difference").size());
    }

    /** All outcomes of n items: the ends of their intervals in the order of b, then c. */
    private static final class Outcomes {
        private final int n;
        private final Interval[][] intervals;

        Outcomes(int n) {
            this.n = n;
            this.intervals = new Interval[n + 1][];
            for (int b = 0; b <= n; b++) {
                intervals[b] = new Interval[n - b + 1];
                for (int c = 0; c <= n - b; c++) {
                    intervals[b][c] = TangoInterval.of(b, c, n, 0.95);
                }
            }
        }

        /** How often the interval holds the difference where this share of the answers changes. */
        double coverage(double changed, double difference) {
            double held = 0;
            for (int b = 0; b <= n; b++) {
                for (int c = 0; c <= n - b; c++) {
                    held += intervals[b][c].contains(difference) ? probability(b, c, changed, difference) : 0;
                }
            }
            return held;
        }

        private double probability(int b, int c, double changed, double difference) {
            int same = n - b - c;
            return Math.exp(Gamma.logGamma(n + 1) - Gamma.logGamma(b + 1) - Gamma.logGamma(c + 1)
                    - Gamma.logGamma(same + 1)) * Math.pow((changed - difference) / 2, b)
                    * Math.pow((changed + difference) / 2, c) * Math.pow(1 - changed, same);
        }
    }

    @Test
    void intervalsMatchTheDefinition() {
        for (JsonNode row : fixtures.get("intervals")) {
            Interval interval = TangoInterval.of(row.get(1).asInt(), row.get(2).asInt(), row.get(0).asInt(),
                    row.get(3).asDouble());
            // The likelihood is flat at its top: the search for it there ends some 1e-8 beside it.
            assertEquals(row.get(4).asDouble(), interval.low(), 1e-7, row.toString());
            assertEquals(row.get(5).asDouble(), interval.high(), 1e-7, row.toString());
        }
    }

    @Test
    void publishedExamplesAreReproduced() {
        // Fagerland, Lydersen and Laake 2014, airway hyper-responsiveness before and after a transplantation.
        Interval airways = TangoInterval.of(7, 1, 21, 0.95);
        assertEquals(-0.517, airways.low(), 5e-4);
        assertEquals(-0.026, airways.high(), 5e-4);
        // Their book of 2017 and R package, complete response before and after consolidation therapy.
        Interval response = TangoInterval.of(16, 6, 161, 0.95);
        assertEquals(-0.1240, response.low(), 5e-5);
        assertEquals(-0.0054, response.high(), 5e-5);
    }

    @Test
    void coverageIsBetween93And97PercentWhereAnyIntervalCanBe() {
        int n = 0;
        Outcomes outcomes = null;
        for (JsonNode row : fixtures.get("no_difference")) {
            if (row.get("n").asInt() != n) {
                n = row.get("n").asInt();
                outcomes = new Outcomes(n);
            }
            double coverage = outcomes.coverage(row.get("changed").asDouble(), 0);
            assertEquals(row.get("coverage").asDouble(), coverage, 1e-9, row.toString());
            assertTrue(coverage >= 0.93, row.toString());
            // Any interval that treats both models alike and holds 0 with at least 93 % does so at least that often.
            double possible = row.has("lowest_possible") ? row.get("lowest_possible").asDouble() : 0;
            assertTrue(coverage <= Math.max(0.97, possible + 0.001), row.toString());
        }
    }

    @Test
    void coverageNeverFallsFarBelow() {
        for (int n = 10; n <= 60; n++) {
            Outcomes outcomes = new Outcomes(n);
            for (int percent = 1; percent <= 100; percent++) {
                double coverage = outcomes.coverage(percent / 100.0, 0);
                // Where every answer changes few values are left: with 21 items 92.2 % or 97.3 %, nothing in between.
                assertTrue(coverage >= (percent > 90 ? 0.92 : 0.93), n + " items, " + percent + " %: " + coverage);
            }
        }
        for (int n : new int[] {10, 20, 50}) {
            Outcomes outcomes = new Outcomes(n);
            for (double difference = 0.02; difference < 0.98; difference += 0.04) {
                for (double changed = difference; changed <= 1; changed += 0.02) {
                    double coverage = outcomes.coverage(changed, difference);
                    assertTrue(coverage >= 0.92, n + " items, " + difference + " of " + changed + ": " + coverage);
                }
            }
        }
    }

    @Test
    void theExactTestIsNeverSignificantBesideAnIntervalWithZero() {
        for (int changed = 1; changed <= 400; changed++) {
            for (int worse = 0; 2 * worse <= changed; worse++) {
                if (PairedTests.mcNemar(worse, changed - worse) < 0.05) {
                    assertTrue(TangoInterval.of(worse, changed - worse, 400, 0.95).low() > 0, worse + " " + changed);
                }
            }
        }
        assertEquals(0.125, PairedTests.mcNemar(0, 4), 1e-12);
        assertTrue(TangoInterval.of(0, 4, 10, 0.95).low() > 0, "the other way round it may be");
    }

    @Test
    void impossibleCountsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> TangoInterval.of(0, 0, 0, 0.95));
        assertThrows(IllegalArgumentException.class, () -> TangoInterval.of(-1, 0, 5, 0.95));
        assertThrows(IllegalArgumentException.class, () -> TangoInterval.of(3, 3, 5, 0.95));
    }
}
