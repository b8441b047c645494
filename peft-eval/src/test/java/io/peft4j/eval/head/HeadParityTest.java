package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.task.TokenTagger.EntitySpan;
import io.peft4j.data.task.SpanQuestion;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.head.TextEvaluation.NumberFindings;
import io.peft4j.eval.metric.CountMetric;
import io.peft4j.eval.report.TaskArm.ClassScore;
import io.peft4j.eval.report.TaskArm.Score;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.task.Classification;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Scores of labels, tags, numbers and answers equal the references', which {@code make_heads.py} computed. */
class HeadParityTest {
    private static final double EXACT = 1e-12;
    private static final Bootstrap BOOTSTRAP = Bootstrap.defaults().withResamples(200);
    private static JsonNode fixtures;

    @BeforeAll
    static void read() throws IOException {
        fixtures = new ObjectMapper().readTree(Path.of("src/test/resources/fixtures/heads/heads.json").toFile());
    }

    private static List<String> texts(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
    }

    private static List<List<String>> rows(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).map(HeadParityTest::texts).toList();
    }

    private static double score(CountMetric metric, ClassCounts counts) {
        double[] sums = new double[counts.items().get(0).length];
        counts.items().forEach(item -> Arrays.setAll(sums, i -> sums[i] + item[i]));
        return metric.score(sums);
    }

    @Test
    void classesAreCountedAsScikitLearnCountsThem() {
        for (JsonNode each : fixtures.get("single")) {
            List<String> gold = texts(each.get("gold"));
            List<String> said = texts(each.get("said"));
            ClassCounts counts = ClassCounts.ofSets(texts(each.get("names")), gold.stream().map(Set::of).toList(),
                    said.stream().map(Set::of).toList());
            Classification confusion = Classification.ofLabels(texts(each.get("names")), gold, said);

            assertEquals(texts(each.get("labels")), confusion.labels());
            assertEquals(each.get("confusion").toString(), confusion.confusion().toString().replace(" ", ""));
            assertEquals(each.get("accuracy").asDouble(), confusion.accuracy(), EXACT);
            assertEquals(each.get("mcc").asDouble(), confusion.matthewsCorrelation(), EXACT);
            assertEquals(each.get("macro_f1").asDouble(), confusion.macroF1(), EXACT);
            assertEquals(each.get("macro_f1").asDouble(), score(ClassCounts.macro("m"), counts), EXACT);
            List<ClassScore> scores = counts.scores(BOOTSTRAP);
            assertEquals(each.get("labels").size(), scores.size());
            for (int i = 0; i < scores.size(); i++) {
                assertEquals(each.get("precision").get(i).asDouble(), scores.get(i).precision(), EXACT);
                assertEquals(each.get("recall").get(i).asDouble(), scores.get(i).recall(), EXACT);
                assertEquals(each.get("f1").get(i).asDouble(), scores.get(i).f1(), EXACT);
                assertEquals(each.get("support").get(i).asInt(), scores.get(i).support());
            }
            boolean[] right = new boolean[gold.size()];
            IntStream.range(0, right.length).forEach(i -> right[i] = gold.get(i).equals(said.get(i)));
            PairedMeasures measures = new PairedMeasures(ComparisonOptions.defaults());
            measures.yesNo("accuracy", right, right);
            Score accuracy = measures.tuned().get("accuracy");
            assertEquals(each.get("wilson").get(0).asDouble(), accuracy.interval().orElseThrow().low(), 1e-9);
            assertEquals(each.get("wilson").get(1).asDouble(), accuracy.interval().orElseThrow().high(), 1e-9);
        }
    }

    @Test
    void fewItemsThatAreAllRightDoNotProveAPerfectModel() {
        ClassCounts counts = ClassCounts.ofSets(List.of("a", "b"), List.of(Set.of("a"), Set.of("b"), Set.of("b")),
                List.of(Set.of("a"), Set.of("b"), Set.of("b")));
        for (ClassScore score : counts.scores(BOOTSTRAP)) {
            assertEquals(1, score.f1Interval().high(), EXACT);
            assertTrue(score.f1Interval().low() < 0.7, score.toString());
        }
        PairedMeasures measures = new PairedMeasures(ComparisonOptions.defaults());
        measures.scores("ndcg_at_10", new double[5], new double[] {1, 1, 1, 1, 1});
        assertTrue(measures.tuned().get("ndcg_at_10").interval().orElseThrow().low() < 0.8);
    }

    @Test
    void severalLabelsAreCountedAsScikitLearnCountsThem() {
        for (JsonNode each : fixtures.get("several")) {
            List<String> names = texts(each.get("names"));
            ClassCounts counts = ClassCounts.ofSets(names, sets(names, each.get("gold")),
                    sets(names, each.get("said")));

            assertEquals(each.get("micro_f1").asDouble(), score(ClassCounts.micro("m"), counts), EXACT);
            assertEquals(each.get("macro_f1").asDouble(), score(ClassCounts.macro("m"), counts), EXACT);
            List<ClassScore> scores = counts.scores(BOOTSTRAP);
            for (int i = 0; i < names.size(); i++) {
                assertEquals(each.get("f1").get(i).asDouble(), scores.get(i).f1(), EXACT);
            }
        }
    }

    private static List<Set<String>> sets(List<String> names, JsonNode rows) {
        List<Set<String>> sets = new ArrayList<>();
        for (JsonNode row : rows) {
            Set<String> set = new TreeSet<>();
            IntStream.range(0, names.size()).filter(i -> row.get(i).asInt() == 1).forEach(i -> set.add(names.get(i)));
            sets.add(set);
        }
        return sets;
    }

    @Test
    void entitiesAreCountedAsSeqevalCountsThem() {
        for (JsonNode each : fixtures.get("entities")) {
            List<List<String>> gold = rows(each.get("gold"));
            List<List<String>> said = rows(each.get("said"));
            List<String> types = List.of("LOC", "PER", "PROD");
            ClassCounts counts = ClassCounts.ofEntities(types, gold, said);
            JsonNode report = each.get("report");

            JsonNode micro = report.get("micro avg");
            assertEquals(micro.get("f1-score").asDouble(), score(ClassCounts.micro("f"), counts), EXACT);
            assertEquals(micro.get("precision").asDouble(), score(ClassCounts.share("p", false), counts), EXACT);
            assertEquals(micro.get("recall").asDouble(), score(ClassCounts.share("r", true), counts), EXACT);
            assertEquals(report.get("macro avg").get("f1-score").asDouble(), score(ClassCounts.macro("m"), counts),
                    EXACT);
            for (ClassScore type : counts.scores(BOOTSTRAP)) {
                assertEquals(report.get(type.label()).get("f1-score").asDouble(), type.f1(), EXACT, type.label());
                assertEquals(report.get(type.label()).get("support").asInt(), type.support(), type.label());
            }
            List<String> flat = gold.stream().flatMap(List::stream).toList();
            ClassCounts words = ClassCounts.ofPlaces(List.copyOf(new TreeSet<>(flat)), gold, said);
            assertEquals(each.get("accuracy").asDouble(), score(ClassCounts.share("a", true), words), EXACT);
            assertEquals(gold.stream().mapToInt(labels -> EntitySpan.of(labels).size()).sum(),
                    micro.get("support").asInt());
        }
    }

    @Test
    void numbersAreComparedAsScikitLearnAndSciPyCompareThem() {
        for (JsonNode each : fixtures.get("numbers")) {
            double[][] gold = column(each.get("gold"));
            PairedMeasures measures = new PairedMeasures(ComparisonOptions.defaults().withResamples(200));
            double mean = Arrays.stream(gold).mapToDouble(row -> row[0]).average().orElseThrow();
            NumberFindings.measure(measures, gold, Arrays.stream(gold).map(row -> new double[] {mean})
                    .toArray(double[][]::new), column(each.get("said")));

            for (String name : List.of("r2", "mse", "pearson", "spearman")) {
                assertEquals(each.get(name).asDouble(), measures.tuned().get(name).value(), 1e-9, name);
            }
            assertEquals(0, measures.base().get("r2").value(), EXACT);
            assertEquals(0, measures.base().get("pearson").value(), EXACT);
        }
    }

    private static double[][] column(JsonNode values) {
        return StreamSupport.stream(values.spliterator(), false).map(value -> new double[] {value.asDouble()})
                .toArray(double[][]::new);
    }

    @Test
    void answersAreScoredByTheRulesOfSquad() {
        List<SpanQuestion> rows = new ArrayList<>();
        List<String> said = new ArrayList<>();
        for (JsonNode row : fixtures.get("passages").get("rows")) {
            List<String> answers = texts(row.get("answers"));
            String first = answers.isEmpty() ? "" : answers.get(0);
            rows.add(new SpanQuestion("q", first, first.isEmpty() ? OptionalInt.empty() : OptionalInt.of(0), first,
                    answers));
            said.add(row.get("said").asText());
        }
        boolean[] exact = PassageEvaluation.exact(rows, said);
        assertEquals(fixtures.get("passages").get("exact").asDouble(),
                IntStream.range(0, exact.length).filter(i -> exact[i]).count() / (double) exact.length, EXACT);
        assertEquals(fixtures.get("passages").get("f1").asDouble(),
                Arrays.stream(PassageEvaluation.f1(rows, said)).average().orElseThrow(), EXACT);
    }
}
