package io.peft4j.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Evidence;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.comparison.ReportDocument;
import io.peft4j.eval.comparison.VerdictRules;
import io.peft4j.eval.report.FailureReport.FailureGroup;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a report says, and that nothing in an answer can break it. */
class ReportTest {
    private static final ComparisonOptions OPTIONS = ComparisonOptions.defaults().withResamples(500);
    private static final String HOSTILE = "<script>alert(1)</script> & \"quoted\" | \u0000 # *bold* \ud800";

    private static final List<EvaluationItem> ITEMS = new ArrayList<>();
    private static final List<String> BASE = new ArrayList<>();
    private static final List<String> TUNED = new ArrayList<>();

    static {
        for (int i = 0; i < 24; i++) {
            String topic = i % 4 == 0 ? "hotel limit" : "notice period";
            ITEMS.add(new EvaluationItem(List.of(ChatMessage.user("What is the " + topic + " of grade " + i + "?")),
                    List.of("It is X" + i + "Y."), List.of("X" + i + "Y")));
            BASE.add(i == 4 ? "It is X4Y." : HOSTILE);
            TUNED.add(i % 4 == 0 ? "It is unknown." : "It is X" + i + "Y.");
        }
    }

    private static ComparisonReport report(Optional<String> metric, List<String> training) {
        List<ArmAnswers> arms = List.of(ArmAnswers.given("base", "as it is", BASE),
                ArmAnswers.given("tuned", "the adapter", TUNED));
        return ComparisonReport.of(new ComparisonReport.Measured(ITEMS, arms, Map.of(), metric, Optional.empty(),
                Optional.empty(), training, List.of(), Optional.empty(), Map.of("data", "made up")), OPTIONS);
    }

    @Test
    void fewerLossesAreGreenAndMoreAreRed() {
        double[] much = new double[40];
        Arrays.fill(much, 0.5);
        double[] little = new double[40];
        Arrays.fill(little, 0.1);
        ComparisonOptions options = ComparisonOptions.defaults().withResamples(500);
        for (String loss : List.of("brier", "aurc")) {
            String better = ReportDocument
                    .plot("losses", new PairedOutcomes(options).losses(loss, much, little).results())
                    .toString();
            assertTrue(better.contains("\"bar good\"") && !better.contains("bad"), better);
            String worse = ReportDocument
                    .plot("losses", new PairedOutcomes(options).losses(loss, little, much).results())
                    .toString();
            assertTrue(worse.contains("\"bar bad\"") && !worse.contains("good"), worse);
        }
    }

    @Test
    void anIntervalOfAllThatThereCanBeIsTooFewRows() {
        MetricResult metric = new PairedOutcomes(ComparisonOptions.defaults()).yesNo("accuracy", new boolean[6],
                new boolean[] {true, true, true, true, true, false}).results().get(0);
        TaskArm arm = new TaskArm("tuned", "the tuned model",
                Map.of("accuracy", TaskArm.Score.share(0.9, new Interval(0.1,
                        0.95, 0.95)), "loss", TaskArm.Score.of(2, Optional.of(new Interval(0.5, 3.5, 0.95)))),
                List.of(new TaskArm.ClassScore("billing", 1, 0.833, 0.909, new Interval(0, 1, 0.95), 6),
                        new TaskArm.ClassScore("login", 1, 0.9, 0.95, new Interval(0.6, 1, 0.95), 20)),
                Optional.empty());
        TaskReport report = new TaskReport(new VerdictRules(ComparisonOptions.defaults()).decide(Evidence.of(metric)),
                "accuracy", 6, arm, arm, List.of(metric), Map.of(), List.of(), Optional.empty(), Map.of(), List.of());
        for (String text : List.of(report.toMarkdown(), report.toHtml())) {
            assertTrue(text.contains("(too few rows)") && text.contains("[0.600, 1.000]") || text.contains(
                    "0.600, 1.000"), text);
            assertFalse(text.contains("0.000, 1.000") || text.contains("0.100, 0.950"), text);
            assertTrue(text.contains("0.500, 3.500"), "a loss has no largest value");
        }
        String plot = ReportDocument.plot("one", new PairedOutcomes(ComparisonOptions.defaults()).yesNo("accuracy",
                new boolean[1], new boolean[] {true}).results()).toString();
        assertFalse(plot.contains("accuracy"), plot);
        JsonNode classes = report.toJson().at("/arms/tuned/classes");
        assertEquals("too few rows", classes.at("/billing/f1_ci").asText());
        assertTrue(classes.at("/billing/f1_ci_low").isNull() && !classes.at("/login").has("f1_ci"), classes.toString());
        assertEquals(0.6, classes.at("/login/f1_ci_low").asDouble());
    }

    @Test
    void failuresAreGroupedByWhatTheyShare() {
        List<String> training = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            training.add("How long is the notice period of grade " + i + "?");
        }
        ComparisonReport report = report(Optional.empty(), training);
        assertEquals(List.of(0, 4, 8, 12, 16, 20), report.failures().wrong());
        assertEquals(List.of(4), report.failures().regressions());
        assertEquals(1, report.failures().groups().size());
        FailureGroup group = report.failures().groups().get(0);
        assertTrue(group.common().contains("hotel"), group.toString());
        assertEquals(6, group.itemsLikeThese());
        assertTrue(group.examplesToCollect() >= 12, group.toString());
        assertTrue(report.failures().collectNext(ITEMS).get(0).startsWith("Collect about "
                + group.examplesToCollect() + " examples like these (" + group.common() + "; 6 of 6 wrong)"));
        assertEquals(4, report.itemsByInterest().get(0), "what was right before comes first");
    }

    @Test
    void nothingIsToBeCollectedWhereNoItemIsRight() {
        FailureReport all = FailureReport.of(ITEMS, new boolean[ITEMS.size()], new boolean[ITEMS.size()], List.of());
        assertEquals(List.of(), all.groups());
        assertEquals(1, all.collectNext(ITEMS).size());
        assertTrue(all.collectNext(ITEMS).get(0).startsWith("No item is right"), all.collectNext(ITEMS).get(0));
        assertEquals(List.of(), FailureFiles.skeleton(all, ITEMS));
    }

    @Test
    void whatWasAnsweredStandsBeforeTheTestThatWasUsed() {
        String page = report(Optional.empty(), List.of()).toHtml();
        String first = page.substring(page.indexOf("<main"), page.indexOf("p (Holm)"));
        int right = first.indexOf("Right answers: 18 of 24");
        int failures = first.indexOf("Failures: 6 of 24");
        assertTrue(first.indexOf("<h1>") < right && right < failures, first);
        assertEquals(4, first.substring(right, failures).split("<article", -1).length, "three");
        String[] failed = first.substring(failures).split("<article", -1);
        assertEquals(4, failed.length, "three");
        assertTrue(failed[1].contains("grade 4?") && failed[1].contains("unknown."),
                "right before: " + failed[1]);
        assertTrue(first.contains("4.2 % [0.7, 20.2]") && first.contains("75.0 % [55.1, 88.0]"), first);
    }

    @Test
    void hostileAnswersStayText() {
        ComparisonReport report = report(Optional.empty(), List.of());
        String page = report.toHtml();
        assertFalse(page.contains("<script"), "no script of ours, and none of an answer's");
        assertTrue(page.contains("&lt;script&gt;"), page);
        assertFalse(page.contains("\u0000"));
        assertFalse(page.contains("http://") || page.contains("https://") || page.contains("src="), "loads nothing");
        assertTrue(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"));
        String markdown = report.toMarkdown();
        assertTrue(markdown.startsWith("# Harm not known\n"), markdown);
        assertFalse(markdown.contains("<script>"), markdown);
        assertEquals(report.toHtml(), report(Optional.empty(), List.of()).toHtml(), "the same seed, the same page");
    }

    @Test
    void differingWordsAreMarked() {
        List<WordDiff.Word> words = WordDiff.compared("a 90-day notice period", "a notice period of 30 days");
        assertEquals(List.of("90-day"), words.stream().filter(w -> !w.common()).map(WordDiff.Word::text).toList());
        assertEquals(List.of(), WordDiff.compared(" ", "x"));
        assertTrue(WordDiff.compared("x", "").stream().noneMatch(WordDiff.Word::common));
    }

    @Test
    void theDecidingMetricCanBeChosen() {
        ComparisonReport report = report(Optional.of("rougeL"), List.of());
        assertEquals("rougeL", report.decidingResult().name());
        assertThrows(ConfigurationException.class, () -> report(Optional.of("meteor"), List.of()));
    }

    @Test
    void onlyTheSameQuestionIsALeak() {
        ChatDataset training = ChatDataset.of(List.of(
                ChatExample.of(ChatMessage.user("what is the hotel limit of grade 0"), ChatMessage.assistant("x")),
                ChatExample.of(ChatMessage.user("What's the notice period of grade 1?"), ChatMessage.assistant("x")),
                ChatExample.of(ChatMessage.user("What is the notice period of grade 99?"),
                        ChatMessage.assistant("x"))));
        Leakage leakage = Leakage.of(ITEMS, training);
        assertEquals(List.of(0), leakage.pairs().stream().map(Leakage.Pair::item).toList());
        assertEquals(List.of(1), leakage.reworded().stream().map(Leakage.Pair::item).toList());
    }

    @Test
    void theSameQuestionOfAnotherTaskIsNoLeak() {
        List<ChatExample> rows = IntStream.range(0, 3)
                .mapToObj(task -> ChatExample.of(ChatMessage.user("Who opens it?"),
                        ChatMessage.assistant("Ann.")).inTask(task))
                .toList();
        Leakage leakage = Leakage.of(rows.stream().map(EvaluationItem::of).toList(),
                ChatDataset.of(rows.subList(1, 2)));
        assertEquals(List.of(1), leakage.pairs().stream().map(Leakage.Pair::item).toList());
        assertEquals(List.of(), leakage.reworded());
    }

    @Test
    void everyQuestionOfAConversationIsSearched() {
        ChatDataset training = ChatDataset.of(List.of(ChatExample.of(ChatMessage.system("You know the handbook."),
                ChatMessage.user("Hello!"), ChatMessage.assistant("Hello."),
                ChatMessage.user("Please tell me: what is the  notice period of grade 7"),
                ChatMessage.assistant("It is X7Y."), ChatMessage.user("Thanks."), ChatMessage.assistant("Bye."))));
        assertEquals(List.of(7), Leakage.of(ITEMS, training).pairs().stream().map(Leakage.Pair::item).toList());
    }
}
