package io.peft4j.eval.comparison;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.Verdict.Decision;
import io.peft4j.eval.comparison.VerdictRules.RequiredItems;
import io.peft4j.eval.metric.Bleu;
import io.peft4j.eval.metric.MetricNames;
import io.peft4j.eval.statistics.PairedTests;
import java.util.Arrays;
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

    /** A guard set on which nothing was lost. */
    private static final MetricResult KEPT = outcome("guard", 150, 80, 0, 0);
    private static final MetricResult BETTER = outcome("contains", 88, 4, 0, 67);

    private static Verdict decide(Evidence evidence) {
        return new VerdictRules(OPTIONS).decide(evidence);
    }

    private static Verdict decide(MetricResult metric) {
        return decide(Evidence.of(metric).withGuard(KEPT));
    }

    @Test
    void aBetterModelShips() {
        Verdict verdict = decide(BETTER);
        assertEquals(Decision.SHIP, verdict.decision());
        assertEquals("tuned", verdict.arm());
        assertEquals(0, verdict.itemsNeeded() + verdict.guardItemsNeeded());
        assertTrue(verdict.inOneLine().startsWith("ship: Take tuned: 81 % of answers hold the expected fact against "
                + "4.5 %, difference 76 points ["), verdict.toString());
    }

    @Test
    void aVerdictIsPrintedOneSentenceALine() {
        Verdict verdict = decide(Evidence.of(BETTER).withGuard(outcome("guard", 150, 52, 15, 11)));
        List<String> lines = verdict.toString().lines().toList();
        assertEquals("harm not known:", lines.get(0));
        assertEquals("- Better on the task, but a loss of general ability is not ruled out.", lines.get(1));
        assertTrue(lines.get(lines.size() - 1).startsWith("- Add about 2,"), "what to do comes last: " + verdict);
        assertEquals(verdict.sentences().size(), lines.stream().filter(line -> line.startsWith("- ")).count());
        assertTrue(lines.stream().allMatch(line -> line.length() <= 100), verdict.toString());
        assertEquals(verdict.sentence(), String.join(" ", lines.subList(1, lines.size())).replaceAll("(^| )- ", "$1")
                .replaceAll(" +", " "));
    }

    @Test
    void sentencesHaveTheUsualNamesOfMetrics() {
        assertTrue(
                decide(outcome("entity_f1", 88, 4, 0, 67)).sentence().startsWith("Take tuned: entity F1 81 % against"),
                decide(outcome("entity_f1", 88, 4, 0, 67)).sentence());
        String search = decide(outcome("ndcg_at_10", 88, 4, 0, 67)).sentence();
        assertTrue(search.startsWith("Take tuned: nDCG at 10 81 % against"), search);
        assertEquals("own_metric", MetricNames.of("own_metric"));
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
        assertTrue(verdict.sentence().contains("10 items cannot show a difference"), verdict.sentence());
        assertEquals(Decision.NEED_MORE_ITEMS, decide(outcome("contains", 10, 5, 0, 0)).decision());
    }

    @Test
    void aModelThatForgetsTooMuchDoesNotShip() {
        Verdict verdict = decide(Evidence.of(BETTER).withGuard(outcome("guard", 150, 80, 40, 5)));
        assertEquals(Decision.DO_NOT_SHIP, verdict.decision());
        assertTrue(verdict.sentence().contains("forgot too much"), verdict.sentence());
        Verdict fine = decide(Evidence.of(BETTER).withGuard(outcome("guard", 150, 80, 2, 2)));
        assertEquals(Decision.SHIP, fine.decision());
        assertTrue(fine.sentence().contains("where a loss of 5 points is accepted"), fine.sentence());
    }

    @Test
    void harmThatIsNotRuledOutDoesNotShip() {
        // 30 % against 45 %, -15 points [-32, 3] on 30 items.
        Verdict few = decide(Evidence.of(BETTER).withGuard(outcome("guard", 40, 11, 7, 1)));
        assertEquals(Decision.HARM_NOT_KNOWN, few.decision());
        assertEquals("base", few.arm());
        assertTrue(few.guardItemsNeeded() > 0 && few.itemsNeeded() == 0, few.toString());
        // No loss at all is seen, but 30 items cannot rule out one of 5 points.
        Verdict none = decide(Evidence.of(BETTER).withGuard(outcome("guard", 30, 14, 0, 0)));
        assertEquals(Decision.HARM_NOT_KNOWN, none.decision());
        // -2.7 points [-9.2, 3.9] on 150: a loss of 5 is neither ruled out nor shown.
        Verdict open = decide(Evidence.of(BETTER).withGuard(outcome("guard", 150, 52, 15, 11)));
        assertEquals(Decision.HARM_NOT_KNOWN, open.decision());
        assertTrue(open.sentence().startsWith("Better on the task, but a loss of general ability is not ruled out. "
                + "Guard set of general ability: "), open.sentence());
        assertFalse(open.ships() || none.ships() || few.ships());
    }

    @Test
    void aSureLossIsHarmAlsoWhereItsSizeIsNot() {
        Verdict sure = decide(Evidence.of(BETTER).withGuard(outcome("guard", 60, 20, 14, 2)));
        assertEquals(Decision.DO_NOT_SHIP, sure.decision(), sure.sentence());
    }

    @Test
    void withoutAGuardSetHarmIsNotKnown() {
        Verdict verdict = decide(Evidence.of(BETTER));
        assertEquals(Decision.HARM_NOT_KNOWN, verdict.decision());
        assertEquals(54, verdict.guardItemsNeeded());
        assertTrue(verdict.inOneLine().startsWith("harm not known: Better on the task, but the loss of general "
                + "ability is unknown, since no guard set was asked"), verdict.toString());
        assertEquals("harm_not_known", verdict.toJson().get("decision").asText());
    }

    /** @param prompted items that the prompt answers, of those that base answers and tuned learned the first */
    private static Verdict.Untrained prompt(int n, int base, int prompted, int tuned) {
        return without("few-shot", n, base, prompted, tuned);
    }

    private static Verdict.Untrained without(String name, int n, int base, int prompted, int tuned) {
        return new Verdict.Untrained(name, name.equals(Verdict.LOOKUP) ? "the most similar training row" : "",
                outcome("contains", n, base, 0, prompted - base),
                prompted <= tuned ? outcome("contains", n, prompted, 0, tuned - prompted)
                        : outcome("contains", n, tuned, prompted - tuned, 0));
    }

    private static Verdict beside(int n, int base, int prompted, int tuned) {
        return decide(Evidence.of(outcome("contains", n, base, 0, tuned - base)).withGuard(KEPT)
                .withUntrained(List.of(prompt(n, base, prompted, tuned))));
    }

    @Test
    void aPromptThatDoesAsWellIsTakenInstead() {
        Verdict better = beside(88, 4, 40, 80);
        assertEquals(Decision.SHIP, better.decision());
        assertTrue(better.sentence().contains("It is better than few-shot, which needs no training: difference 45 "),
                better.sentence());
        Verdict same = beside(88, 4, 80, 80);
        assertEquals(Decision.PROMPT_INSTEAD, same.decision());
        assertEquals("few-shot", same.arm());
        assertTrue(same.sentence().startsWith("Do not train, use few-shot: training adds no worthwhile gain."),
                same.sentence());
        assertEquals(Decision.PROMPT_INSTEAD, beside(88, 4, 80, 60).decision());
        Verdict open = beside(88, 4, 76, 80);
        assertEquals(Decision.NEED_MORE_ITEMS, open.decision());
        assertEquals("few-shot", open.arm());
        assertTrue(open.itemsNeeded() > 0, open.toString());
    }

    @Test
    void aPromptIsTakenWhereTheTunedModelIsRefused() {
        Evidence worse = Evidence.of(outcome("contains", 100, 20, 30, 4))
                .withUntrained(List.of(prompt(100, 50, 80, 24)));
        assertEquals(Decision.PROMPT_INSTEAD, decide(worse).decision());
        Evidence forgot = Evidence.of(outcome("contains", 100, 50, 0, 40))
                .withUntrained(List.of(prompt(100, 50, 80, 90)))
                .withGuard(outcome("guard", 150, 80, 40, 5));
        assertEquals("few-shot", decide(forgot).arm());
        assertTrue(decide(forgot).sentence().contains("forgot too much"), decide(forgot).sentence());
        assertEquals(Decision.DO_NOT_SHIP, decide(forgot).decision(), "the prompt is surely below the model");
        assertTrue(decide(forgot).sentence().contains("Until a training forgets less, use few-shot: "),
                decide(forgot).sentence());
        assertEquals(Decision.PROMPT_INSTEAD, decide(forgot.withUntrained(List.of(prompt(100, 50, 88, 90))))
                .decision());
    }

    /** Of n items none of which the base answers, {@code lost} are right only by the row, {@code won} only tuned. */
    private static Verdict besideLookup(int n, int both, int lost, int won) {
        return decide(Evidence.of(outcome("contains", n, 0, 0, both + won)).withGuard(KEPT)
                .withUntrained(List.of(new Verdict.Untrained(Verdict.LOOKUP, "the most similar training row",
                        outcome("contains", n, 0, 0, both + lost), outcome("contains", n, both, lost, won)))));
    }

    private static Verdict nestedLookup(int n, int base, int lookup, int tuned) {
        return decide(Evidence.of(outcome("contains", n, base, 0, tuned - base)).withGuard(KEPT)
                .withUntrained(List.of(without(Verdict.LOOKUP, n, base, lookup, tuned))));
    }

    @Test
    void aSurelyBetterLookupIsTakenWhereTheGainOverTheBaseIsOpen() {
        Verdict verdict = besideLookup(8, 1, 7, 0);
        assertEquals(Decision.PROMPT_INSTEAD, verdict.decision(), verdict.sentence());
        assertTrue(verdict.sentence().startsWith("Do not train, use the most similar training row: "),
                verdict.sentence());
    }

    @Test
    void aModelThatDoesNotBeatTheMostSimilarTrainingRowNeverShips() {
        // German messages of four classes: 55 % of 53 against 62 %.
        Verdict worse = besideLookup(53, 20, 13, 9);
        assertEquals(Decision.NEED_MORE_ITEMS, worse.decision(), worse.sentence());
        assertEquals(Verdict.LOOKUP, worse.arm());
        assertTrue(worse.sentence().contains("use the most similar training row until then. The most similar training "
                + "row, which needs no training, answers 62 %, tuned 55 %"), worse.sentence());
        JsonNode known = worse.toJson().at("/without_training/0");
        assertEquals(33 / 53.0, known.get("score").asDouble(), 1e-9);
        assertEquals(-4 / 53.0, known.get("difference").asDouble(), 1e-9);
        // A classifier with 29 of 33 is that lookup.
        assertEquals(Verdict.LOOKUP, nestedLookup(33, 12, 29, 29).arm());
        for (int n : new int[] {12, 33, 100, 400}) {
            for (int tuned = 0; tuned <= n; tuned += Math.max(1, n / 20)) {
                for (int lookup = tuned; lookup <= n; lookup += Math.max(1, n / 20)) {
                    Verdict verdict = nestedLookup(n, 0, lookup, tuned);
                    assertFalse(verdict.ships(), n + ", " + lookup + ", " + tuned + ": " + verdict);
                }
            }
        }
    }

    @Test
    void aRowThatAnswersEverythingIsLookedUpInstead() {
        Verdict verdict = nestedLookup(400, 40, 360, 350);
        assertEquals(Decision.PROMPT_INSTEAD, verdict.decision());
        assertTrue(verdict.inOneLine().startsWith("look up instead: Do not train, use the most similar training row: "),
                verdict.toString());
        assertEquals("Look up instead", verdict.toJson().get("words").asText());
        assertEquals("prompt_instead", verdict.toJson().get("decision").asText());
    }

    @Test
    void modelBetterThanTheMostSimilarRowShipsIfALossIsRuledOut() {
        Verdict handbook = besideLookup(88, 81, 1, 6);
        assertEquals(Decision.SHIP, handbook.decision(), handbook.sentence());
        assertTrue(handbook.sentence().contains("The most similar training row, which needs no training, answers 93 %: "
                + "difference 5.7 points ["), handbook.sentence());
        assertEquals(Decision.PROMPT_INSTEAD, besideLookup(2000, 1580, 60, 70).decision(), "a gain is ruled out");
        assertEquals(Decision.NEED_MORE_ITEMS, besideLookup(88, 39, 9, 11).decision(), "a loss is not ruled out");
    }

    @Test
    void intervalsThatSayNothingAreNotPrinted() {
        MetricResult one = outcome("contains", 1, 0, 0, 1);
        assertTrue(decide(one).sentence().contains("difference 100 points (too few rows) on 1 item"),
                decide(one).sentence());
        JsonNode json = one.putDifference(new ObjectMapper().createObjectNode());
        assertEquals("too few rows", json.get("ci").asText());
        assertTrue(json.get("ci_low").isNull() && json.get("ci_high").isNull(), json.toString());
        assertTrue(decide(BETTER).sentence().contains("difference 76 points ["), decide(BETTER).sentence());
    }

    @Test
    void numbersOfItemsAreThoseThatTheTestsCanDecideWith() {
        RequiredItems needed = new RequiredItems(OPTIONS);
        assertEquals(6, needed.fewest());
        assertTrue(PairedTests.mcNemar(0, 5) >= 0.05 && PairedTests.mcNemar(0, 6) < 0.05);
        for (int n = 1; n <= 12; n++) {
            for (int won = 0; won <= n; won++) {
                MetricResult result = outcome("contains", n, 0, 0, won);
                Verdict verdict = decide(result);
                int items = n + verdict.itemsNeeded();
                // If as large a share changes among so many items, the test says that it does.
                double share = Math.max(won / (double) n, Math.max(result.difference(), OPTIONS.worthwhile()));
                assertTrue(verdict.decision() != Decision.NEED_MORE_ITEMS
                        || PairedTests.mcNemar(0, (int) Math.ceil(share * items)) < 0.05, n + ": " + verdict);
            }
        }
        double[] none = new double[needed.fewestGuarding()];
        assertTrue(OPTIONS.bootstrap().ofDifferences(none).low() >= -0.05);
        assertTrue(OPTIONS.bootstrap().ofDifferences(new double[none.length - 1]).low() < -0.05);
    }

    @Test
    void leakedItemsGiveNoVerdictToShip() {
        Verdict verdict = decide(Evidence.of(BETTER).withGuard(KEPT).withLeaked(12, " in the same words"));
        assertEquals(Decision.DO_NOT_SHIP, verdict.decision());
        assertTrue(verdict.sentence().contains("12 of 88 held-out items also occur in the training data in the same "
                + "words, so"), verdict.sentence());
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
    void theDecidingMetricIsTestedByItselfTheOthersAfterHolm() {
        PairedOutcomes outcomes = new PairedOutcomes(OPTIONS);
        for (int won : new int[] {6, 7, 6, 8}) {
            boolean[] tuned = new boolean[12];
            Arrays.fill(tuned, 0, won, true);
            outcomes.yesNo("metric " + outcomes.results().size(), new boolean[12], tuned);
        }
        // 6 of 12 that all change the same way have p = 1/32, 7 half of it, 8 a quarter.
        assertArrayEquals(new double[] {2, 1.5, 2, 1}, adjusted(outcomes.results()), 1e-12);
        assertArrayEquals(new double[] {2, 0.5, 2, 0.75}, adjusted(outcomes.results("metric 1")), 1e-12);
        MetricResult deciding = outcomes.results("metric 2").get(2);
        assertTrue(deciding.isBetter(0.05) && !outcomes.results().get(2).isBetter(0.05), deciding.toString());
    }

    private static double[] adjusted(List<MetricResult> results) {
        return results.stream().mapToDouble(result -> 32 * result.pAdjusted()).toArray();
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

    /** Of a model that answers {@code won} of 88 held-out items, and {@code right} of the rows that it learned. */
    private static Verdict learned(int won, int asked, int right, Optional<OwnRows.Ending> ending) {
        MetricResult metric = outcome("contains", 88, 4, 0, won - 4);
        return new OwnRows(asked, right, won / 88.0, List.of("When does it open?"), ending).in(decide(metric), metric);
    }

    private static Optional<OwnRows.Ending> unlearned(long rows) {
        return Optional.of(new OwnRows.Ending(240, rows, "ended by the bound of epochs"));
    }

    @Test
    void aBetterModelBelow80PercentWithRowsLeftUnlearnedIsNotFinished() {
        Verdict verdict = learned(40, 40, 20, unlearned(60));
        assertEquals(Decision.NOT_FINISHED, verdict.decision());
        assertFalse(verdict.ships());
        assertEquals("tuned", verdict.arm());
        assertEquals("Better, and not finished", verdict.words());
        assertTrue(verdict.sentence().startsWith("Better, and not finished: 60 of 240 rows were not learned (training: "
                + "ended by the bound of epochs). Take tuned: 45 % of"), verdict.sentence());
        assertEquals("Continue the training.", verdict.sentences().get(verdict.sentences().size() - 1));
        assertEquals("not_finished", verdict.toJson().get("decision").asText());
        // Known by the training alone, and by the answers alone.
        assertEquals(Decision.NOT_FINISHED, learned(40, 0, 0, unlearned(1)).decision());
        assertTrue(learned(40, 40, 20, Optional.empty()).sentence().startsWith("Better, and not finished: 20 of 40 "
                + "rows that it was trained on are wrong. "));
        // All is learned, or the model is good enough.
        assertEquals(Decision.SHIP, learned(40, 40, 40, unlearned(0)).decision());
        assertEquals(Decision.SHIP, learned(40, 40, 40, Optional.empty()).decision());
        assertEquals(Decision.SHIP, learned(72, 40, 20, unlearned(60)).decision());
        assertEquals(Decision.DO_NOT_SHIP, learned(4, 40, 20, unlearned(60)).decision(), "it is no better at all");
    }

    @Test
    void ownRowsTellWhyHeldOutItemsAreWrong() {
        Verdict not = learned(72, 40, 20, unlearned(60));
        assertTrue(not.sentence().endsWith(" Not learned: of 40 rows that it was trained on 20 are right, of held-out "
                + "items 82 %; 60 of 240 rows were not learned (training: ended by the bound of epochs). Train longer, "
                + "with a higher rank or on more layers."), not.sentence());
        JsonNode own = not.toJson().get("own_rows");
        assertEquals("{\"n\":40,\"right\":20,\"finding\":\"not_learned\",\"rows\":240,\"unlearned\":60,"
                + "\"ending\":\"ended by the bound of epochs\"}", own.toString());
        Verdict reworded = learned(40, 40, 36, Optional.empty());
        assertTrue(reworded.sentence().endsWith(" Learned and not carried over to new wordings: of 40 rows that it was "
                + "trained on 36 are right, of held-out items 45 %. Add more wordings to the training data, such as of "
                + "\"When does it open?\"."), reworded.sentence());
        assertEquals("not_carried_over", reworded.toJson().get("own_rows").get("finding").asText());
        Verdict good = learned(80, 40, 39, Optional.empty());
        assertTrue(good.sentence().endsWith(" Learned well: of 40 rows that it was trained on 39 are right, of "
                + "held-out items 91 %."), good.sentence());
        assertFalse(decide(BETTER).toJson().has("own_rows"), "nothing is known of them");
    }

    @Test
    void inventionsHaveALineAndAreSaidFirstWhereTheyAreSurelyMore() {
        VerdictRules rules = new VerdictRules(OPTIONS);
        Verdict fewer = rules.inventing(decide(BETTER), outcome("near_unknown", 40, 4, 0, 5));
        assertEquals("Questions that no row answers: invents 31 of 40, the base 36 of 40.",
                fewer.sentences().get(fewer.sentences().size() - 1));
        assertFalse(fewer.sentence().contains("invents more"), fewer.sentence());
        assertEquals(31, fewer.toJson().get("near_unknown").get("invented").asInt());
        assertEquals(36, fewer.toJson().get("near_unknown").get("base_invented").asInt());
        Verdict more = rules.inventing(decide(BETTER), outcome("near_unknown", 40, 2, 18, 0));
        assertEquals(Decision.SHIP, more.decision());
        assertTrue(
                more.sentences().get(1).startsWith("It invents more than the base about what no row answers (answers "
                        + "without an invention: difference -45 points ["),
                more.sentence());
        assertFalse(rules.inventing(decide(BETTER), outcome("near_unknown", 40, 2, 3, 0)).sentence()
                .contains("invents more"), "three of 40 may be chance");
        assertFalse(decide(BETTER).toJson().has("near_unknown"), "nothing was asked");
    }

    @Test
    void whatRoundsToZeroHasNoMinus() {
        assertEquals("0.0 %", NumberFormats.number("%.1f %%", -0.04));
        assertEquals("+0.0", NumberFormats.number("%+.1f", -0.04));
        assertEquals("-0.1", NumberFormats.number("%+.1f", -0.06));
        assertEquals("+0.000", NumberFormats.number("%+.3f", -0.0));
        assertEquals("+0", NumberFormats.number("%+.0f", -0.4));
        assertEquals("0.000 nats", NumberFormats.number("%.3f nats", -0.0004));
        assertEquals("-10.0", NumberFormats.number("%.1f", -10));
        assertEquals("NaN", NumberFormats.number("%.1f", Double.NaN));
    }
}
