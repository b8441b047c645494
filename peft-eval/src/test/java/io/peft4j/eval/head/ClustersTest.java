package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.report.TaskArm.Score;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.Resampled;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Questions of the same rows, against SciPy, whose numbers {@code make_clusters.py} wrote. */
class ClustersTest {
    /** Of ends of intervals 0.2 wide: 4 standard errors of 20,000 draws on both sides, and the mean in a line. */
    private static final double DRAWN = 6e-3;
    private static final Bootstrap PLAIN = new Bootstrap(0.95, 20_000, 0, false);

    private final JsonNode expected;
    private final List<Prediction> asked;
    private final DecisionMeasures base;
    private final DecisionMeasures tuned;
    private final Clusters clusters;

    ClustersTest() throws IOException {
        expected = new ObjectMapper().readTree(ClustersTest.class.getResource("/fixtures/decisions/clusters.json"));
        int[] rows = Arrays.stream(numbers("rows")).mapToInt(row -> (int) row).toArray();
        DecisionQuestion question = DecisionQuestion.choice("Which?", List.of("right", "wrong"));
        asked = IntStream.of(rows).mapToObj(row -> new Prediction(row, "q", TextNode.valueOf(""), question,
                new double[2], new double[] {1, 0})).toList();
        base = new DecisionMeasures(asked, said("base"));
        tuned = new DecisionMeasures(asked, said("tuned"));
        clusters = Clusters.ofRows(rows);
    }

    private double[] numbers(String name) {
        return StreamSupport.stream(expected.get(name).spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private double[][] said(String name) {
        return Arrays.stream(numbers(name)).mapToObj(p -> new double[] {p, 1 - p}).toArray(double[][]::new);
    }

    private double[] brier() {
        return Arrays.stream(numbers("tuned")).map(p -> 2 * (1 - p) * (1 - p)).toArray();
    }

    private void assertInterval(String name, Resampled items) {
        Interval found = PLAIN.of(items);
        assertArrayEquals(numbers(name), new double[] {found.low(), found.high()}, DRAWN, name);
    }

    @Test
    void intervalsDrawRowsAndNotTheirQuestions() {
        assertInterval("brier_interval", Resampled.mean(clusters.values(brier())));
        assertInterval("brier_interval_of_single", Resampled.mean(brier()));
        assertInterval("aurc_interval", clusters.of(new Resampled() {
            @Override
            public int size() {
                return asked.size();
            }

            @Override
            public double of(int[] places) {
                return tuned.risk(places);
            }

            @Override
            public double ofAll() {
                return of(IntStream.range(0, size()).toArray());
            }

            @Override
            public double without(int place) {
                throw new AssertionError("rows are left out, not questions");
            }
        }));
    }

    @Test
    void brierScoresAndRisksAreComparedByRow() {
        PairedMeasures measures = new PairedMeasures(ComparisonOptions.defaults(), clusters);
        base.add(measures, tuned);
        base.addOver(measures, "_over_most_frequent", tuned);
        Map<String, MetricResult> results = measures.results("accuracy").stream()
                .collect(Collectors.toMap(MetricResult::name, Function.identity()));
        MetricResult brier = results.get("brier");
        assertEquals(expected.get("brier").asDouble(), brier.tuned(), 1e-9);
        assertEquals(60, brier.items());
        // Four standard errors of 10,000 draws, and of 1,000.
        assertEquals(expected.get("brier_p").asDouble(), brier.pValue(), 0.01);
        assertEquals(expected.get("aurc_p").asDouble(), results.get("aurc").pValue(), 0.06);
        assertTrue(brier.lowerIsBetter() && brier.gain() == brier.base() - brier.tuned(), brier.toString());
        assertEquals(brier.difference(), results.get("brier_over_most_frequent").difference());
        assertTrue(
                results.keySet()
                        .containsAll(List.of("over_most_frequent", "aurc_over_most_frequent", "log_likelihood")),
                results.toString());
    }

    @Test
    void askingTheSameTwiceMakesNothingSurer() {
        double[] once = brier();
        double[] twice = IntStream.range(0, 2 * once.length).mapToDouble(i -> once[i / 2]).toArray();
        Clusters pairs = Clusters.ofRows(IntStream.range(0, twice.length).map(i -> i / 2).toArray());
        PairedMeasures single = new PairedMeasures(ComparisonOptions.defaults());
        PairedMeasures doubled = new PairedMeasures(ComparisonOptions.defaults(), pairs);
        single.means("brier", once, once);
        doubled.means("brier", twice, twice);
        Score score = doubled.tuned().get("brier");
        assertEquals(single.tuned().get("brier").value(), score.value(), 1e-12);
        assertEquals(single.tuned().get("brier").interval().orElseThrow().low(), score.interval().orElseThrow().low(),
                1e-12);
        assertArrayEquals(once, pairs.sums(twice), 1e-12);
    }

    @Test
    void equallySureAnswersHaveNoOrder() {
        List<Prediction> two = asked.subList(0, 4);
        double[][] sure = {{0.7, 0.3}, {0.3, 0.7}, {0.7, 0.3}, {0.7, 0.3}};
        // A quarter of the answers is wrong, however many are kept.
        assertEquals(0.25, new DecisionMeasures(two, sure).risk(new int[] {1, 0, 2, 3}), 1e-12);
        assertEquals(0.25, new DecisionMeasures(two, sure).risk(new int[] {3, 2, 0, 1}), 1e-12);
    }

    @Test
    void intervalsByRowHoldTheTruthWhereThoseByQuestionDoNot() {
        SplittableRandom random = new SplittableRandom(1);
        int held = 0;
        int heldByQuestion = 0;
        for (int study = 0; study < 400; study++) {
            // 40 rows of 5 questions that are all right or all wrong.
            double[] right = new double[200];
            IntStream.range(0, 40).forEach(row -> Arrays.fill(right, 5 * row, 5 * row + 5, random.nextInt(10) < 6
                    ? 1 : 0));
            PairedMeasures byRow = new PairedMeasures(ComparisonOptions.defaults().withResamples(400),
                    Clusters.ofRows(IntStream.range(0, 200).map(i -> i / 5).toArray()));
            PairedMeasures byQuestion = new PairedMeasures(ComparisonOptions.defaults().withResamples(400));
            List.of(byRow, byQuestion).forEach(each -> each.means("accuracy", right, right));
            held += byRow.tuned().get("accuracy").interval().orElseThrow().contains(0.6) ? 1 : 0;
            heldByQuestion += byQuestion.tuned().get("accuracy").interval().orElseThrow().contains(0.6) ? 1 : 0;
        }
        // 95 % less three standard errors.
        assertTrue(held >= 0.917 * 400, held + " of 400");
        assertTrue(heldByQuestion < 0.75 * 400, heldByQuestion + " of 400");
    }
}
