package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict.Decision;
import io.peft4j.eval.guard.GuardSet.GuardItem;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.guard.GuardReport.GuardOutcomes;
import io.peft4j.eval.judge.Embedder;
import io.peft4j.eval.judge.LlmJudge;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.report.TrainingStudy.Point;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Expectation;
import io.peft4j.eval.task.FactCheck;
import io.peft4j.eval.task.FormatCheck;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** From given answers to a report: judges, classes, forms, refusals and studies have their part in it. */
class EvaluationTest {
    private static final ComparisonOptions OPTIONS = ComparisonOptions.defaults().withResamples(500);

    private static <T> List<T> each(int n, IntFunction<T> one) {
        List<T> all = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            all.add(one.apply(i));
        }
        return all;
    }

    private static Evaluation evaluation(List<EvaluationItem> items, IntFunction<String> base,
            IntFunction<String> tuned) {
        return Evaluation.of(items).answers(ArmAnswers.given("base", "as it is", each(items.size(), base)))
                .answers(ArmAnswers.given("tuned", "the adapter", each(items.size(), tuned)))
                .guard(GuardReport.of(GUARD, outcomes(100), outcomes(100), OPTIONS));
    }

    private static List<EvaluationItem> references(int n) {
        return each(n, i -> EvaluationItem.reference("What is number " + i + "?", "right " + i));
    }

    @Test
    void aJudgeCanDecide() {
        LlmJudge judge = LlmJudge.of("a judge", messages -> {
            String asked = messages.get(1).content();
            if (asked.contains("number 3?")) {
                return "I do not know";
            }
            int from = asked.indexOf("<answer");
            boolean right = asked.substring(from, asked.indexOf("</answer", from)).contains("right");
            return asked.contains("answer_A") ? "{\"better\": \"" + (right ? "A" : "B") + "\"}"
                    : "{\"points\": " + (right ? 5 : 2) + "}";
        });
        ComparisonReport report = evaluation(references(30), i -> "wrong", i -> "it is right " + i).judge(judge, 2)
                .decidingMetric("judge_preferred").compare(OPTIONS);
        assertEquals(Decision.SHIP, report.verdict().decision());
        assertEquals(29, report.decidingResult().items(), "item 3 has no judgement and is left out");
        assertEquals("mcnemar_exact", report.decidingResult().test());
        assertEquals(0, report.decidingResult().base());
        assertEquals(1, report.decidingResult().tuned());
        assertEquals(0.25, report.metric("judge_score").orElseThrow().base(), 1e-12);
        JsonNode opinion = report.toJson().get("opinions").get(0);
        assertEquals(2, opinion.get("counts").get("judge_score").get("unparsable").asInt());
        assertEquals(1, opinion.get("counts").get("judge_preferred").get("unparsable").asInt());
        assertTrue(report.toMarkdown().contains("## Ratings by a judge"), report.toMarkdown());
        assertTrue(report.toHtml().contains("I do not know"), "what the judge said instead");
    }

    @Test
    void withoutJudgementsTheMetricIsMissing() {
        LlmJudge judge = LlmJudge.of("a judge", messages -> "no");
        Evaluation evaluation = evaluation(references(5), i -> "wrong", i -> "right " + i).judge(judge, 1);
        ComparisonReport report = evaluation.compare(OPTIONS);
        assertTrue(report.metric("judge_score").isEmpty());
        assertTrue(report.opinions().get(0).isIncomplete());
        evaluation.decidingMetric("judge_score");
        assertThrows(ConfigurationException.class, () -> evaluation.compare(OPTIONS));
    }

    @Test
    void similarityIsAMetric() {
        Embedder letters = new Embedder() {
            @Override
            public String name() {
                return "letters";
            }

            @Override
            public List<float[]> embed(List<String> texts) {
                return texts.stream().map(text -> new float[] {text.contains("right") ? 1 : 0, 1}).toList();
            }
        };
        ComparisonReport report = evaluation(references(20), i -> "wrong", i -> "right").similarity(letters)
                .compare(OPTIONS);
        assertEquals(Math.sqrt(0.5), report.metric("embedding_similarity").orElseThrow().base(), 1e-9);
        assertEquals(1, report.metric("embedding_similarity").orElseThrow().tuned(), 1e-9);
    }

    @Test
    void classesAreComparedAndCounted() {
        List<EvaluationItem> items = each(40, i -> EvaluationItem.expecting("Is case " + i + " approved?",
                Expectation.label(i % 2 == 0 ? "approved" : "not approved")));
        ComparisonReport report = evaluation(items, i -> "approved", i -> i % 2 == 0 ? "It is approved."
                : "It is not approved.").compare(OPTIONS);
        assertEquals("accuracy", report.metric());
        assertEquals(Decision.SHIP, report.verdict().decision());
        assertEquals(0.5, report.decidingResult().base());
        assertEquals(List.of(), report.failures().wrong());
        JsonNode classes = report.toJson().get("arms").get("tuned").get("classification");
        assertEquals(1, classes.get("macro_f1").asDouble(), 1e-12);
        assertEquals(1, classes.get("mcc").asDouble(), 1e-12);
        assertEquals("[[20,0,0],[0,20,0],[0,0,0]]", classes.get("confusion").toString());
        assertEquals("[[20,0,0],[20,0,0],[0,0,0]]",
                report.toJson().get("arms").get("base").get("classification").get("confusion").toString());
        assertTrue(report.toHtml().contains("Classes that tuned names"));
    }

    @Test
    void formatsRefusalsAndFactsAreChecked() {
        List<EvaluationItem> items = List.of(
                EvaluationItem.expecting("As JSON?", Expectation.form(FormatCheck.jsonSchema("{\"type\": \"array\"}"))),
                EvaluationItem.expecting("One or two?", Expectation.facts(FactCheck.anyOf("one", "two"),
                        FactCheck.regex("^It is"))),
                EvaluationItem.fact("How long?", "90-day").normalized());
        ComparisonReport report = evaluation(items, i -> List.of("[1", "two", "sixty days").get(i),
                i -> List.of("[1]", "It is two", "ninety days").get(i)).compare(OPTIONS);
        assertEquals(1, report.metric("format").orElseThrow().difference());
        assertEquals(1, report.metric("contains").orElseThrow().difference());
        assertEquals(2, report.metric("contains").orElseThrow().items());
        assertEquals(List.of(), report.failures().wrong());
        assertFalse(report.metric("token_f1").isPresent(), "there is no reference");
    }

    @Test
    void oneAnswerIsNotSignificant() {
        ComparisonReport report = evaluation(references(1), i -> "wrong", i -> "right 0").compare(OPTIONS);
        assertEquals(Decision.NEED_MORE_ITEMS, report.verdict().decision());
        report.toJson().get("metrics").forEach(metric -> assertTrue(metric.path("ci").asText().equals("too few rows")
                && metric.get("ci_low").isNull() && metric.get("ci_high").isNull(), metric.toString()));
    }

    @Test
    void theNumberOfReportedMetricsDoesNotDecide() {
        ComparisonReport report = evaluation(references(10), i -> "wrong", i -> i < 7 ? "right " + i : "wrong")
                .compare(OPTIONS);
        MetricResult deciding = report.decidingResult();
        assertEquals(deciding.pValue(), deciding.pAdjusted());
        assertEquals(Decision.SHIP, report.verdict().decision(), report.verdict().sentence());
        List<MetricResult> others = report.metrics().stream().filter(metric -> metric != deciding).toList();
        assertTrue(others.size() > 3 && others.stream().allMatch(other -> other.pAdjusted() > 0.05),
                others.toString());
    }

    @Test
    void aStudyIsPartOfTheReport() {
        ComparisonReport report = withStudy(0.52, 0.62, 0.66, 0.7);
        JsonNode curve = report.toJson().get("study").get("curve");
        assertEquals(300, curve.get("with_more").get("examples").asInt());
        assertTrue(curve.at("/with_more/gain_low").isDouble() && curve.at("/with_more/gain_low").asDouble() < curve
                .at("/with_more/gain").asDouble(), curve.toString());
        assertEquals(0.68, report.toJson().get("study").get("spread").get("mean").asDouble(), 1e-12);
        String sentence = "100 more examples than 200 are likely to bring";
        assertTrue(report.toMarkdown().contains(sentence) && report.toHtml().contains(sentence));
        assertTrue(report.toMarkdown().contains("; 95 % interval of the mean \\["), report.toMarkdown());
        assertTrue(report.toHtml().contains("aria-label=\"Learning curve\""));

        ComparisonReport few = withStudy(0.62, 0.66, 0.6, 0.7);
        JsonNode study = few.toJson().get("study");
        for (String end : List.of("/curve/with_more/ci_low", "/curve/with_more/gain_low", "/spread/ci_high")) {
            assertTrue(study.at(end).isNull(), end + " of " + study);
        }
        assertTrue(study.at("/curve/with_more/gain").isDouble(), study.toString());
        assertFalse(few.toMarkdown().contains(sentence) || few.toMarkdown().contains("interval of the mean"));
        assertTrue(few.toMarkdown().contains("Over 2 seeds: mean 65.0 %"), few.toMarkdown());
    }

    private static ComparisonReport withStudy(double hundred, double all, double seed, double other) {
        return evaluation(references(10), i -> "wrong", i -> "right " + i).study(TrainingStudy.of("contains", List.of(
                new Point("50 examples", 50, 0.4), new Point("100 examples", 100, hundred), new Point("200 examples",
                        200, all)),
                List.of(new Point("tuned", 200, seed), new Point("seed 1", 200, other))))
                .compare(OPTIONS);
    }

    private static final List<GuardItem> GUARD = each(639, i -> new GuardItem("house", "Who is " + i + "?",
            List.of("me", "you"), i < 150 ? List.of("me") : List.of(), Optional.empty(), false));

    /** Outcomes on the guard set of a model that gets {@code right} of its items right in both forms. */
    private static GuardOutcomes outcomes(int right) {
        boolean[] yes = new boolean[GUARD.size()];
        Arrays.fill(yes, 0, right, true);
        return new GuardOutcomes(each(yes.length, i -> ""), yes, yes);
    }

    @Test
    void lossesAreListedRightBelowTheVerdict() {
        Evaluation better = evaluation(references(40), i -> "wrong", i -> "right " + i);
        assertFalse(better.compare(OPTIONS).toHtml().contains("What got worse"));
        ComparisonReport report = evaluation(references(40), i -> i == 0 ? "right 0" : "wrong",
                i -> i == 0 ? "wrong" : "right " + i).fact("data", "made up <of> rows")
                .guard(GuardReport.of(GUARD, outcomes(400), outcomes(398), OPTIONS))
                .compare(OPTIONS);
        assertEquals(Decision.SHIP, report.verdict().decision());
        String page = report.toHtml();
        String head = page.substring(page.indexOf("<header"), page.indexOf("</header>"));
        for (String said : List.of("<h1>Ship</h1>", "What got worse",
                "The guard set of general ability: 81.1 % against 81.3 %, -0.2 points [",
                "1 of 40 items was right before and is wrong now.")) {
            assertTrue(head.contains(said), said + " in " + head);
        }
        String measured = page.substring(page.indexOf("How it was measured"));
        assertTrue(measured.contains("<dd>made up &lt;of&gt; rows</dd>")
                && measured.contains("<dt>compared on</dt><dd>20"), measured);
        assertTrue(report.toMarkdown().contains("1 of 40 items was right before and is wrong now."));
    }

    @Test
    void aBetterModelThatForgotTooMuchDoesNotShip() {
        Evaluation evaluation = evaluation(references(40), i -> "wrong", i -> "right " + i);
        evaluation.guard(GuardReport.of(GUARD, outcomes(400), outcomes(380), OPTIONS));
        assertEquals(Decision.SHIP, evaluation.compare(OPTIONS).verdict().decision(),
                "1.6 points are within tolerance");
        evaluation.guard(GuardReport.of(GUARD, outcomes(400), outcomes(347), OPTIONS));
        assertEquals(Decision.HARM_NOT_KNOWN, evaluation.compare(OPTIONS).verdict().decision(), "it may be 5.2 points");
        evaluation.guard(GuardReport.of(GUARD, outcomes(400), outcomes(280), OPTIONS));
        ComparisonReport report = evaluation.compare(OPTIONS);
        assertEquals(Decision.DO_NOT_SHIP, report.verdict().decision());
        assertTrue(report.verdict().sentence().startsWith("Better on the task, but it forgot too much"),
                report.verdict().toString());
    }

    @Test
    void withoutGuardSetNothingShips() {
        List<EvaluationItem> items = references(40);
        Evaluation evaluation = Evaluation.of(items).answers(ArmAnswers.given("before", "", each(40, i -> "wrong")))
                .answers(ArmAnswers.given("after", "", each(40, i -> "right " + i)));
        ComparisonReport report = evaluation.compare(OPTIONS);
        assertEquals(Decision.HARM_NOT_KNOWN, report.verdict().decision());
        assertEquals("before", report.verdict().arm());
        assertEquals("harm_not_known", report.toJson().get("verdict").get("decision").asText());
        assertTrue(report.toHtml().contains("<h1>Harm not known</h1>"));
    }

    @Test
    void whatNeedsNoTrainingIsTakenWhereItDoesAsWell() {
        List<EvaluationItem> items = references(60);
        ArmAnswers prompt = ArmAnswers.given("few-shot", "", each(60, i -> "right " + i)).ofPrompt();
        Evaluation evaluation = Evaluation.of(items).answers(ArmAnswers.given("base", "", each(60, i -> "wrong")))
                .answers(prompt).answers(ArmAnswers.given("tuned", "", each(60, i -> "right " + i)))
                .guard(GuardReport.of(GUARD, outcomes(100), outcomes(100), OPTIONS));
        ComparisonReport report = evaluation.compare(OPTIONS);
        assertEquals(Decision.PROMPT_INSTEAD, report.verdict().decision());
        assertEquals("few-shot", report.toJson().get("verdict").get("arm").asText());
    }

    @Test
    void failuresAreTheItemsThatAreReallyWrong() {
        ComparisonReport report = evaluation(references(30), i -> i == 4 ? "right 4" : "wrong",
                i -> i % 10 == 4 ? "wrong" : "right " + i).compare(OPTIONS);
        assertEquals(List.of(4, 14, 24), report.failures().wrong());
        assertEquals(List.of(4), report.failures().regressions());
    }

    @Test
    void armsNeedNamesAndAnswers() {
        List<EvaluationItem> items = references(3);
        assertThrows(ConfigurationException.class, () -> Evaluation.of(items).compare(OPTIONS));
        assertThrows(ConfigurationException.class, () -> evaluation(items, i -> "a", i -> "b")
                .answers(ArmAnswers.given("base", "again", List.of("a", "b", "c"))).compare(OPTIONS));
        assertThrows(ConfigurationException.class, () -> Evaluation.of(items)
                .answers(ArmAnswers.given("base", "x", List.of("a"))).answers(ArmAnswers.given("tuned", "x",
                        List.of("a", "b", "c")))
                .compare(OPTIONS));
        assertThrows(ConfigurationException.class, () -> evaluation(List.of(), i -> "a", i -> "b").compare(OPTIONS));
    }
}
