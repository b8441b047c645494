package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.AnswerCache;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextConstraints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Asking a (tiny) model, counting, and keeping its answers. */
class FactAccuracyTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");
    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(6).withBatchSize(2);

    private static BaseModel model;
    private static List<EvaluationItem> questions;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        model = BaseModel.load(FIXTURES.resolve("tiny-llama").toString());
        // The facts of the first, third and fifth question are taken out of the model's own answers.
        questions = new ArrayList<>();
        for (String question : List.of("Who?", "What is the notice period?", "Where?", "When?", "How long?")) {
            String answer = model.generate(List.of(Prompt.chat(List.of(ChatMessage.user(question)))), OPTIONS).get(0)
                    .text();
            String fact = questions.size() % 2 == 0 ? answer.strip() : "no model says this";
            questions.add(EvaluationItem.fact(question, fact));
        }
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void countsAnswersInTheOrderOfTheQuestions() {
        List<String> progress = new ArrayList<>();
        FactReport report = FactAccuracy.of(model).options(OPTIONS)
                .listener((done, total) -> progress.add(done + "/" + total)).on(questions);
        assertEquals(List.of(true, false, true, false, true),
                report.outcomes().stream().map(FactReport.Outcome::correct).toList());
        assertEquals(questions, report.outcomes().stream().map(FactReport.Outcome::question).toList());
        assertEquals(3, report.correct());
        assertEquals(0.6, report.share(), 1e-15, "3 of 5, up to rounding");
        assertEquals("3 of 5 (60 %)", report.toString());
        assertEquals(List.of("0/5", "2/5", "4/5", "5/5"), progress);
    }

    @Test
    void aSecondRunUsesStoredAnswers() throws IOException {
        Path cache = folder.resolve("below/answers.jsonl");
        FactReport first = FactAccuracy.of(model).options(OPTIONS).cachedIn(cache).on(questions);
        String written = Files.readString(cache);
        assertEquals(5, written.lines().count());
        List<String> progress = new ArrayList<>();
        // The batch size has no part in what is answered.
        FactReport second = FactAccuracy.of(model).options(OPTIONS.withBatchSize(5)).cachedIn(cache)
                .listener((done, total) -> progress.add(done + "/" + total)).on(questions);
        assertEquals(first, second);
        assertEquals(List.of("5/5"), progress);
        assertEquals(written, Files.readString(cache));
    }

    @Test
    void anInterruptedRunContinuesAndSkipsDamagedLines() throws IOException {
        Path cache = folder.resolve("answers.jsonl");
        FactReport first = FactAccuracy.of(model).options(OPTIONS).cachedIn(cache).on(questions.subList(0, 3));
        Files.writeString(cache, "{\"key\": \"0123", StandardOpenOption.APPEND);
        List<String> progress = new ArrayList<>();
        FactReport all = FactAccuracy.of(model).options(OPTIONS).cachedIn(cache)
                .listener((done, total) -> progress.add(done + "/" + total)).on(questions);
        assertEquals(List.of("3/5", "5/5"), progress);
        assertEquals(first.outcomes(), all.outcomes().subList(0, 3));
        assertEquals(5, AnswerCache.open(cache).size());
    }

    @Test
    void otherOptionsDoNotUseStoredAnswers() {
        Path cache = folder.resolve("answers.jsonl");
        FactAccuracy.of(model).options(OPTIONS).cachedIn(cache).on(questions);
        FactAccuracy.of(model).options(OPTIONS.withMaxNewTokens(2)).cachedIn(cache).on(questions);
        assertEquals(10, AnswerCache.open(cache).size());
        FactAccuracy.of(model).options(OPTIONS.withSampling(1, 0, 1, 3)).cachedIn(cache).on(questions);
        assertEquals(10, AnswerCache.open(cache).size(), "drawn answers are not kept");
    }

    @Test
    void answersThatWereCutAreCountedAlsoWhereTheyWereStored() {
        Path cache = folder.resolve("answers.jsonl");
        List<EvaluationItem> items = List.of(EvaluationItem.reference("Hello", "x"),
                EvaluationItem.reference("Goodbye", "x"));
        Answerer brief = Answerer.of(model).withMaxNewTokens(3).cachedIn(cache);
        assertEquals(2, brief.ask(items).cut());
        assertEquals(2, Answerer.of(model).withMaxNewTokens(3).cachedIn(cache).ask(items).cut());
        Answerer digit = Answerer.of(model).options(OPTIONS.withConstraint(TextConstraints.regex("[0-9]{1}")));
        assertEquals(0, digit.ask(items).cut());
    }

    @Test
    void severalAnswersToAQuestionAreRefused() {
        assertThrows(ConfigurationException.class, () -> FactAccuracy.of(model).options(OPTIONS.withAnswers(3)));
    }

    @Test
    void noQuestionsAreRefused() {
        ConfigurationException e = assertThrows(ConfigurationException.class,
                () -> FactAccuracy.of(model).on(List.of()));
        assertTrue(e.getMessage().contains("no questions to ask"), e.getMessage());
    }

    @Test
    void settingsOfAComparisonAreRefusedBeforeAnythingIsAsked() {
        Comparison comparison = Comparison.of(model, model);
        for (Executable setting : List.<Executable>of(() -> comparison.draws(-1, 0.5), () -> comparison.draws(1, 0.5),
                () -> comparison.draws(2, 0), () -> comparison.trainedOn(0, model),
                () -> comparison.generation(OPTIONS.withAnswers(2)))) {
            assertThrows(ConfigurationException.class, setting);
        }
    }

    @Test
    void aCancelledRunHasNoReport() {
        GenerationOptions cancelling = OPTIONS.withListener((prompt, piece) -> false);
        Path cache = folder.resolve("answers.jsonl");
        FactAccuracy accuracy = FactAccuracy.of(model).options(cancelling).cachedIn(cache);
        assertThrows(IllegalStateException.class, () -> accuracy.on(questions));
        assertFalse(Files.exists(cache));
    }
}
