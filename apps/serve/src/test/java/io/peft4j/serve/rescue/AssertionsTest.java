package io.peft4j.serve.rescue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.judge.JudgeModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of assertions as Promptfoo and OpenAI's Evals have them. */
class AssertionsTest {
    private static final String ANSWER = "At Larkenfell it is {\"days\": 90}.";

    @TempDir
    Path folder;

    /** Texts are alike if they are equal. */
    private static AssertionCheck.Tools tools(Optional<JudgeModel> judge) {
        return new AssertionCheck.Tools((a, b) -> a.equals(b) ? 1.0 : 0.5, judge.map(StructuredJudge::of));
    }

    private Assertions read(String json, Optional<JudgeModel> judge) throws IOException {
        return Assertions.read(Files.writeString(folder.resolve("assertions.json"), json), tools(judge));
    }

    private Assertions.Outcome judged(String assertion, String answer, JudgeModel judge) throws IOException {
        return read("[{\"vars\": {\"question\": \"How long?\", \"town\": \"Larkenfell\"}, \"assert\": [" + assertion
                + "]}]", Optional.of(judge)).judge(List.of(answer));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "{'type': 'contains', 'value': '90'} | true",
        "{'type': 'contains', 'value': 'At {{town}}'} | true",
        "{'type': 'not-contains', 'value': '90'} | false",
        "{'type': 'icontains', 'value': 'at lark'} | true",
        "{'type': 'contains-all', 'value': ['90', 'days']} | true",
        "{'type': 'contains-all', 'value': ['90', 'weeks']} | false",
        "{'type': 'contains-any', 'value': ['60', '90']} | true",
        "{'type': 'icontains-any', 'value': ['AT', 'x']} | true",
        "{'type': 'equals', 'value': '90'} | false",
        "{'type': 'starts-with', 'value': 'At '} | true",
        "{'type': 'regex', 'value': '\\\\d{2}'} | true",
        "{'type': 'regex', 'value': '\\\\d{3}'} | false",
        "{'type': 'is-json'} | false",
        "{'type': 'contains-json'} | true",
        "{'type': 'contains-json', 'value': {'type': 'object', 'required': ['weeks']}} | false",
        "{'type': 'similar', 'value': 'another'} | false",
        "{'type': 'similar', 'value': 'another', 'threshold': 0.4} | true"})
    void anAssertionHoldsOrNot(String assertion, boolean holds) throws IOException {
        Assertions.Outcome outcome = judged(assertion.replace('\'', '"'), ANSWER, messages -> "");

        assertEquals(holds ? 1 : 0, outcome.passed(), assertion);
        assertEquals(holds ? 0 : 1, outcome.failures().size());
    }

    @Test
    void aModelGradesByTheRubricAndSaysWhy() throws IOException {
        List<String> asked = new ArrayList<>();
        JudgeModel judge = messages -> {
            asked.add(messages.get(1).content());
            return "{\"reason\": \"it names no form\", \"pass\": false}";
        };

        Assertions.Outcome outcome = judged("{\"type\": \"llm-rubric\", \"value\": \"names the form of {{town}}\"}",
                ANSWER, judge);

        assertEquals(List.of("How long? must llm-rubric \"names the form of {{town}}\"; answered: " + ANSWER
                + " (it names no form)"), outcome.failures());
        assertTrue(asked.get(0).contains("<criterion>\nnames the form of Larkenfell\n</criterion>")
                && asked.get(0).contains("<answer>\n" + ANSWER), asked.get(0));
        assertEquals(1, judged("{\"type\": \"not-factuality\", \"value\": \"60 days\"}", ANSWER, judge).passed());
    }

    @Test
    void aJudgeThatDoesNotJudgeMakesNothingTrue() throws IOException {
        String rubric = "{\"type\": \"llm-rubric\", \"value\": \"is right\"}";
        assertTrue(judged(rubric, ANSWER, messages -> "Yes, it is.").failures().get(0)
                .endsWith("(the judge does not answer with JSON)"));
        assertTrue(judged(rubric, ANSWER, messages -> "{\"verdict\": 1}").failures().get(0)
                .contains("the judge does not answer with [\"reason\",\"pass\"]"));
        assertEquals(0, judged(rubric.replace("llm", "not-llm"), ANSWER, messages -> {
            throw new UncheckedIOException(new IOException("refused"));
        }).passed());
    }

    @Test
    void criteriaOfAnEvalAreCheckedItemByItem() throws IOException {
        Assertions assertions = read("""
                {"testing_criteria": [
                  {"type": "string_check", "name": "days", "operation": "ilike", "input": "{{sample.output_text}}",
                   "reference": "{{item.days}} DAYS"},
                  {"type": "string_check", "name": "not empty", "operation": "ne", "input": "{{ sample.output_text }}",
                   "reference": ""},
                  {"type": "text_similarity", "name": "near", "evaluation_metric": "cosine", "pass_threshold": 0.8,
                   "input": "{{sample.output_text}}", "reference": "{{item.days}} days"},
                  {"type": "text_similarity", "name": "alike", "evaluation_metric": "fuzzy_match",
                   "pass_threshold": 0.8, "input": "{{sample.output_text}}", "reference": "{{item.days}} days."},
                  {"type": "score_model", "name": "score", "pass_threshold": 0.7, "input": [
                   {"role": "user", "content": "Score {{sample.output_text}} against {{item.days}}"}]},
                  {"type": "label_model", "name": "tone", "labels": ["kind", "rude"], "passing_labels": ["kind"],
                   "input": [{"role": "developer", "content": "Label it."},
                             {"role": "user", "content": {"type": "input_text", "text": "{{sample.output_text}}"}}]}],
                 "data_source": {"source": {"type": "file_content", "content": [
                   {"item": {"level": "Senior", "days": "90"}}, {"item": {"level": "Trainee", "days": "15"}}]},
                  "input_messages": {"type": "template", "template": [
                   {"role": "system", "content": "Be brief."},
                   {"role": "user", "content": "Notice of a {{item.level}}?"}]}}}
                """, Optional.of(messages -> messages.get(0).content().startsWith("Score 90 days against 90")
                ? "{\"reason\": \"r\", \"score\": 0.9}" : messages.get(0).content().startsWith("Score")
                        ? "{\"reason\": \"r\", \"score\": 0.2}" : "{\"reason\": \"r\", \"label\": \"kind\"}"));

        assertEquals(List.of(ChatMessage.system("Be brief."), ChatMessage.user("Notice of a Trainee?")),
                assertions.questions().get(1));
        Assertions.Outcome outcome = assertions.judge(List.of("90 days", "60 days"));
        assertEquals(8, outcome.passed(), outcome.failures().toString());
        assertTrue(outcome.failures().get(0).startsWith("Notice of a Trainee? must string_check days"),
                outcome.failures().toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "[{'vars': {'question': 'q'}, 'assert': [{'type': 'llm-rubric'}]}] | test 1: 'llm-rubric' is graded by a model",
        "[{'vars': {'question': 'q'}, 'assert': [{'type': 'cost'}]}] | test 1: unknown assertion 'cost'; known are",
        "[{'vars': {'question': 'q'}, 'assert': []}] | test 1 asserts nothing",
        "[{'vars': {}, 'assert': [{'type': 'is-json'}]}] | test 1 has no prompt",
        "[{'vars': {'question': 'q'}, 'assert': [{'type': 'regex', 'value': '('}]}] | test 1: Unclosed group",
        "{'tests': []} | has no list",
        "{'testing_criteria': [{'type': 'python'}]} | not the",
        "{ | is not valid JSON"})
    void whatCannotBeCheckedIsNamedBeforeAnythingIsDone(String file, String message) {
        String said = assertThrows(FileFormatException.class, () -> read(file.replace('\'', '"'), Optional.empty()))
                .getMessage();

        assertTrue(said.contains(message), said);
    }
}
