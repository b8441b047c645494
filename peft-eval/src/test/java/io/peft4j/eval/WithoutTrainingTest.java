package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.task.LabelledText;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Expectation;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers and heads are compared with the most similar training row, and the verdict says so in the same words. */
class WithoutTrainingTest {
    private static final String MODEL = "../tests/fixtures/encoders/bert-seq-cls";
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final ComparisonOptions OPTIONS = ComparisonOptions.defaults().withResamples(500);
    private static final List<String> CLASSES = List.of("Rechnung", "Versand", "Konto", "Technik");

    @TempDir
    private Path folder;

    private static ChatExample chat(String question, String answer) {
        return ChatExample.of(ChatMessage.user(question), ChatMessage.assistant(answer));
    }

    /** Message {@code i} is about the class {@code i % 4}; a row of the training data shares its rare word. */
    private static String message(int i, String beginning) {
        return beginning + " Fall" + i + " wegen " + CLASSES.get(i % 4) + "sfrage";
    }

    @Test
    void messagesThatTheLookupAnswersBetterAreNotShipped() {
        int held = 53;
        // The lookup answers 33 of 53: of the other rows the training data teach another class.
        ChatDataset training = ChatDataset.of(IntStream.range(0, held).mapToObj(i -> chat(message(i, "Hallo, ich habe"),
                CLASSES.get((i < 33 ? i : i + 1) % 4))).toList());
        List<EvaluationItem> items = IntStream.range(0, held).mapToObj(i -> EvaluationItem.expecting(message(i,
                "Guten Tag, es geht um"), Expectation.label(CLASSES.get(i % 4)))).toList();
        ComparisonReport report = Evaluation.of(items).trainingData(training)
                .answers(ArmAnswers.given("base", "", IntStream.range(0, held).mapToObj(i -> CLASSES.get((i + 2) % 4))
                        .toList()))
                .answers(ArmAnswers.given("tuned", "", IntStream.range(0, held)
                        .mapToObj(i -> CLASSES.get((i >= 10 && i < 39 ? i : i + 2) % 4)).toList()))
                .compare(OPTIONS);

        assertEquals("accuracy", report.metric());
        assertFalse(report.verdict().ships());
        assertEquals(Verdict.LOOKUP, report.verdict().arm(), report.verdict().toString());
        assertTrue(report.verdict().sentence().contains("The most similar training row, which needs no training, "
                + "answers 62 %, tuned 55 %"), report.verdict().sentence());
        JsonNode json = report.toJson();
        assertEquals(33 / 53.0, json.at("/arms/lookup/metrics/accuracy").asDouble(), 1e-9);
        assertEquals(33 / 53.0, json.at("/verdict/without_training/0/score").asDouble(), 1e-9);
        assertTrue(report.toMarkdown().contains("## What needs no training"), report.toMarkdown());
        assertTrue(report.toHtml().contains("What needs no training"));
    }

    @Test
    void aHeadAndAnswersAreJudgedInTheSameWords() {
        try (BaseModel model = BaseModel.load(MODEL, F32)) {
            List<String> texts = IntStream.range(0, 40).mapToObj(i -> "number " + i + " of the manager and the "
                    + List.of("office", "salary", "leave", "form").get(i % 4)).toList();
            TextClassifier classifier = new TextClassifier(model);
            List<String> said = texts.stream().map(text -> classifier.classify(text).label()).toList();
            List<String> labels = model.network().task().labels();
            // The model is right in three of four rows, and so is the lookup, which copies what the model says.
            List<String> right = IntStream.range(0, 40).mapToObj(i -> i % 4 > 0 ? said.get(i)
                    : labels.get((labels.indexOf(said.get(i)) + 1) % labels.size())).toList();
            List<LabelledText> rows = new ArrayList<>();
            List<LabelledText> trained = new ArrayList<>();
            IntStream.range(0, 40).forEach(i -> {
                rows.add(LabelledText.of(texts.get(i), right.get(i)));
                trained.add(LabelledText.of("asked about: " + texts.get(i), said.get(i)));
            });
            TaskReport head = TaskComparison.of(model).options(OPTIONS).trainingData(file(trained)).on(rows);

            String frequent = trained.stream().map(row -> row.labels().get(0))
                    .max((a, b) -> Long.compare(count(trained, a), count(trained, b))).orElseThrow();
            ComparisonReport answers = Evaluation.of(IntStream.range(0, 40).mapToObj(i -> EvaluationItem.expecting(
                    texts.get(i), Expectation.label(right.get(i)))).toList())
                    .trainingData(ChatDataset.of(trained.stream().map(row -> chat(row.text(), row.labels().get(0)))
                            .toList()))
                    .answers(ArmAnswers.given("base", "", texts.stream().map(text -> frequent).toList()))
                    .answers(ArmAnswers.given("tuned", "", said)).compare(OPTIONS);

            assertEquals(answers.verdict().decision(), head.verdict().decision(), head.verdict() + "\n" + answers);
            assertFalse(head.verdict().ships(), "a model that is the lookup");
            assertEquals(answers.verdict().words(), head.verdict().words());
            assertEquals(answers.toJson().at("/verdict/without_training"), head.toJson()
                    .at("/verdict/without_training"));
            assertEquals(names(answers.toJson().get("verdict")), names(head.toJson().get("verdict")));
            assertEquals(answers.toJson().at("/arms/lookup/metrics/accuracy"), head.toJson()
                    .at("/arms/lookup/scores/accuracy/value"));
            assertTrue(head.toMarkdown().contains("## What needs no training"), head.toMarkdown());
        }
    }

    @Test
    void aFailureSharedWithTheLookupDoubtsTheHeldOutAnswer() {
        ChatDataset training = ChatDataset.of(List.of(chat("When does the early shift start?", "It starts at 6:00."),
                chat("How long is the notice period?", "It is 30 days."), chat("Who signs travel?", "The lead.")));
        List<EvaluationItem> items = List.of(
                EvaluationItem.reference("When does the early shift begin?", "It begins at 7:00."),
                EvaluationItem.reference("How long is my notice period?", "It is 30 days."),
                EvaluationItem.reference("Who signs my travel?", "The manager."));
        ComparisonReport report = Evaluation.of(items).trainingData(training)
                .answers(ArmAnswers.given("base", "", List.of("No.", "No.", "No.")))
                .answers(ArmAnswers.given("tuned", "", List.of("At 6 am.", "It is 90 days.", "The clerk.")))
                .compare(OPTIONS);
        assertEquals(List.of(0, 1, 2), report.failures().wrong());
        assertEquals(Map.of(0, "It starts at 6:00."), report.failures().doubted());
        String check = "the most similar training row says \"It starts at 6:00.\" as well: check the held-out answer";
        assertTrue(report.toMarkdown().contains("- tuned: At 6 am.\n- " + check), report.toMarkdown());
        assertTrue(report.toHtml().contains(check.replace("\"", "&quot;")) || report.toHtml().contains(check));
        assertEquals(1, report.toJson().at("/failures/doubted").size());
        assertEquals(1, report.toJson().at("/failures/doubted/0/row").asInt());
        assertEquals(check, report.toJson().at("/failures/doubted/0/check").asText());
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static long count(List<LabelledText> rows, String label) {
        return rows.stream().filter(row -> row.labels().contains(label)).count();
    }

    private Path file(List<LabelledText> rows) {
        Path file = folder.resolve("train.jsonl");
        try {
            Files.write(file, rows.stream().map(row -> "{\"text\": \"" + row.text() + "\", \"label\": \"" + row.labels()
                    .get(0) + "\"}").toList());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return file;
    }

    @Test
    void leakedItemsAreShownWithBothWordings() {
        List<EvaluationItem> items = List.of(EvaluationItem.reference("When does the shift start?", "at 6"),
                EvaluationItem.reference("Who signs my travel request?", "the lead"),
                EvaluationItem.reference("Which room is free on Monday?", "none"));
        ChatDataset training = ChatDataset.of(List.of(chat("who signs my travel requests", "the lead"),
                chat("When does the shift start?", "at 6")));
        ComparisonReport report = Evaluation.of(items).trainingData(training)
                .answers(ArmAnswers.given("base", "", List.of("a", "b", "c")))
                .answers(ArmAnswers.given("tuned", "", List.of("at 6", "the lead", "none"))).compare(OPTIONS);
        String sentence = report.verdict().sentence();
        assertTrue(
                sentence.startsWith("2 of 3 held-out items also occur in the training data in the same words but for "
                        + "case, punctuation, inflection, filling words or slips of the pen (1 of them): held-out row "
                        + "2 \"Who signs my travel request?\" is "),
                sentence);
        assertTrue(sentence.contains("\"who signs my travel requests\""), sentence);
        JsonNode pairs = report.toJson().at("/leakage/items");
        assertTrue(pairs.get(0).get("identical").asBoolean() && !pairs.get(1).get("identical").asBoolean(),
                pairs.toString());
        assertEquals("who signs my travel requests", pairs.get(1).get("training_question").asText());
        assertTrue(report.toMarkdown().contains("who signs my travel requests"), report.toMarkdown());
    }
}
