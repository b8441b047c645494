package io.peft4j.eval.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A classifier with labels of its own is compared with itself, and with what needs no model. */
class TaskComparisonTest {
    private static final Path MODEL = Path.of("../tests/fixtures/encoders/bert-seq-cls");
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);

    private static List<LabelledText> rows(BaseModel base) {
        List<LabelledText> rows = new ArrayList<>();
        List<String> labels = base.network().task().labels();
        for (int i = 0; i < 30; i++) {
            rows.add(LabelledText.of("text number " + i + " of the manager", labels.get(i % labels.size())));
        }
        return rows;
    }

    @Test
    void aBaseWithItsOwnHeadIsTheBase() {
        try (BaseModel base = BaseModel.load(MODEL.toString(), F32)) {
            TaskReport report = TaskComparison.of(base, base).on(rows(base));

            assertEquals("is the base model with its own head", report.base().description());
            assertEquals(30, report.rows());
            assertEquals(report.base().scores(), report.tuned().scores());
            assertEquals(30 - Math.round(30 * report.tuned().score("accuracy")), report.wrong().size());
            assertTrue(report.verdict().sentence().endsWith(" The base is the base model with its own head."),
                    report.verdict().sentence());
            String text = report.toMarkdown();
            assertTrue(text.contains("## Confusion matrix of the tuned model") && text.contains("| macro F1 |"), text);
            assertEquals(report, TaskComparison.of(base, base).on(rows(base)), "the same seed, the same figures");
        }
    }

    @Test
    void rightAnswersStandBesideFailuresBeforeTheTestThatWasUsed() {
        try (BaseModel base = BaseModel.load(MODEL.toString(), F32)) {
            TaskReport report = TaskComparison.of(base, base).on(rows(base));

            String page = report.toHtml();
            String first = page.substring(page.indexOf("<main"), page.indexOf("p (Holm)"));
            int wrong = report.wrong().size();
            int right = first.indexOf("Right answers: " + (30 - wrong) + " of 30");
            int failures = first.indexOf("Failures: " + wrong + " of 30");
            assertTrue(first.indexOf("<h1>") < right && right < failures && wrong > 3 && wrong < 27, first);
            String shown = first.substring(right, failures);
            assertEquals(4, shown.split("<article", -1).length, "three");
            assertTrue(shown.contains("\"good\"") && !shown.contains("\"bad\""), shown);
            assertEquals(4, first.substring(failures, first.indexOf("<details")).split("<article", -1).length);
            assertTrue(first.contains("right before: 0"), first);
        }
    }

    @Test
    void theMostFrequentLabelDoesNotDependOnTheOrderOfRows() {
        assertEquals("Advice", Rows.mostFrequent(List.of("Repair", "Advice", "Order", "Repair", "Advice")));
        assertEquals("Advice", Rows.mostFrequent(List.of("Advice", "Repair", "Advice", "Repair", "Order")));
        assertEquals("Repair", Rows.mostFrequent(List.of("Advice", "Repair", "Repair")));
    }

    @Test
    void aModelThatDoesNotDifferIsNotShipped() {
        try (BaseModel base = BaseModel.load(MODEL.toString(), F32)) {
            TaskReport report = TaskComparison.of(base, base).decidingMetric("macro_f1").on(rows(base));

            assertEquals("macro_f1", report.metric());
            assertTrue(report.verdict().decision() != Verdict.Decision.SHIP, report.verdict().sentence());
        }
    }

    @Test
    void rowsOfAnotherKindAndUnknownMetricsAreRefused() {
        try (BaseModel base = BaseModel.load(MODEL.toString(), F32)) {
            TaskComparison comparison = TaskComparison.of(base);
            String kind = assertThrows(ConfigurationException.class, () -> comparison.on(List.of(
                    new LabelledWords(List.of("a"), List.of("b"))))).getMessage();
            assertTrue(kind.contains("LabelledText") && kind.contains("LabelledWords"), kind);
            String metric = assertThrows(ConfigurationException.class,
                    () -> comparison.decidingMetric("rouge1").on(rows(base))).getMessage();
            assertTrue(metric.contains("available are [accuracy, macro_f1]"), metric);
        }
    }
}
