package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextConstraints;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What narrows or tells the choice of tokens, on a tiny model with random weights, which never would otherwise. */
class GenerationChoicesTest {
    private static final List<Sampling> SAMPLINGS = List.of(Sampling.greedy(), Sampling.of(1, 5),
            Sampling.of(0.8, 6).withMinP(0.05).withRepetitionPenalty(1.3));
    private static final int TOKENS = 20;

    private final BaseModel model = KernelsUnderTest.sharedBest("tiny-llama");
    private final List<JsonNode> rows = Fixtures.stream(Fixtures.json("choices.json").get("rows")).toList();
    private final List<Prompt> prompts = rows.stream()
            .map(row -> Prompt.tokens(Fixtures.ids(row.get("input_ids")))).toList();

    private static GenerationOptions options(int tokens) {
        return GenerationOptions.defaults().withMaxNewTokens(tokens);
    }

    private static List<int[]> ids(List<Completion> completions) {
        return completions.stream().map(Completion::ids).toList();
    }

    private static void assertSame(List<Completion> expected, List<Completion> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).ids(), actual.get(i).ids(), "answer " + i);
        }
    }

    /** Transformers has no stop token here, so of an answer that ends on its own only the beginning is compared. */
    @Test
    void repetitionPenaltyMatchesTransformers() {
        for (int i = 0; i < rows.size(); i++) {
            int[] expected = Fixtures.ids(rows.get(i).get("new_tokens"));
            Sampling sampling = Sampling.greedy().withRepetitionPenalty(
                    rows.get(i).get("repetition_penalty").doubleValue());
            int[] actual = model.generate(List.of(prompts.get(i)), options(expected.length).withSampling(sampling))
                    .get(0).ids();
            assertTrue(actual.length > 4, "row " + i);
            assertArrayEquals(Arrays.copyOf(expected, actual.length), actual, "row " + i);
        }
    }

    /** Log-softmax of f32 logits: they differ by less than 1e-5 between implementations. */
    @Test
    void probabilitiesMatchTransformers() {
        List<Completion> answers = model.generate(prompts, options(5).withLogProbabilities(3));
        for (int i = 0; i < rows.size(); i++) {
            List<TokenProbability> actual = answers.get(i).probabilities();
            assertEquals(answers.get(i).ids().length, actual.size());
            for (int t = 0; t < actual.size(); t++) {
                JsonNode expected = rows.get(i).get("probabilities").get(t);
                assertEquals(expected.get("id").intValue(), actual.get(t).id());
                assertEquals(expected.get("log_probability").doubleValue(), actual.get(t).logProbability(), 2e-5);
                for (int k = 0; k < 3; k++) {
                    TokenProbability.Alternative alternative = actual.get(t).mostLikely().get(k);
                    assertEquals(expected.get("most_likely").get(k).get(0).intValue(), alternative.id());
                    assertEquals(expected.get("most_likely").get(k).get(1).doubleValue(),
                            alternative.logProbability(), 2e-5);
                }
            }
        }
        assertTrue(model.generate(prompts, options(2)).stream().allMatch(a -> a.probabilities().isEmpty()));
    }

    @Test
    void promptLookupChangesNoAnswer() {
        int[] repeating = Stream.of(rows.get(0), rows.get(0), rows.get(0)).map(row -> row.get("input_ids"))
                .flatMapToInt(node -> Arrays.stream(Fixtures.ids(node))).toArray();
        List<Prompt> asked = Stream.concat(prompts.stream(), Stream.of(Prompt.tokens(repeating))).toList();
        for (Sampling sampling : SAMPLINGS) {
            GenerationOptions plain = options(40).withSampling(sampling);
            List<Completion> expected = model.generate(asked, plain);
            for (int lookup : new int[] {1, 4, 10}) {
                assertSame(expected, model.generate(asked, plain.withPromptLookup(lookup)));
            }
        }
    }

    @Test
    void severalAnswersToAPromptAreThoseToItAskedSeveralTimes() {
        GenerationOptions drawn = options(TOKENS).withSampling(Sampling.of(1, 9));
        List<Prompt> repeated = prompts.subList(0, 2).stream().flatMap(p -> Stream.of(p, p, p)).toList();
        List<Completion> answers = model.generate(prompts.subList(0, 2), drawn.withAnswers(3));
        assertSame(model.generate(repeated, drawn), answers);
        assertTrue(ids(answers.subList(0, 3)).stream().map(Arrays::toString).distinct().count() > 1, "draws differ");
    }

    @Test
    void aRegularExpressionIsFollowed() {
        String expression = "(yes|no), [0-9]{2,3} (days|Tage|日)!";
        for (Sampling sampling : SAMPLINGS) {
            for (int lookup : new int[] {0, 4}) {
                for (Completion answer : model.generate(prompts, options(60).withSampling(sampling)
                        .withConstraint(TextConstraints.regex(expression)).withPromptLookup(lookup))) {
                    assertEquals(StopReason.STOP_TOKEN, answer.stopReason());
                    assertTrue(answer.text().matches(expression), answer.text());
                }
            }
        }
    }

    @Test
    void anAnswerTellsWhetherItFollowsItsConstraint() {
        GenerationOptions digits = options(3).withConstraint(TextConstraints.regex("[0-9]+ (days|weeks)"));
        for (Completion answer : model.generate(prompts, digits)) {
            assertEquals(StopReason.LENGTH, answer.stopReason());
            assertFalse(answer.followsConstraint(), answer.text());
        }
        // What may go on, but need not, follows it wherever it is cut.
        for (Completion answer : model.generate(prompts, options(3).withConstraint(TextConstraints.regex("[0-9]+")))) {
            assertTrue(answer.followsConstraint(), answer.text());
        }
        for (Completion answer : model.generate(prompts, options(60).withStopStrings(List.of("eks"))
                .withConstraint(TextConstraints.regex("[0-9]{2} weeks")))) {
            assertEquals(StopReason.STOP_TOKEN, answer.stopReason());
            assertFalse(answer.followsConstraint(), answer.text());
        }
    }

    @Test
    void aSchemaIsFollowed() throws IOException {
        String schema = """
                {"type": "object", "required": ["name", "days", "paid"], "properties": {
                  "name": {"type": "string", "maxLength": 12}, "days": {"type": "integer", "minimum": 0, "maximum": 90},
                  "paid": {"type": "boolean"}}}""";
        for (Sampling sampling : SAMPLINGS) {
            for (Completion answer : model.generate(prompts, options(120).withSampling(sampling)
                    .withConstraint(TextConstraints.jsonSchema(schema)))) {
                assertEquals(StopReason.STOP_TOKEN, answer.stopReason());
                JsonNode value = new ObjectMapper().readTree(answer.text());
                assertTrue(value.get("name").textValue().length() <= 24 && value.get("days").intValue() <= 90
                        && value.get("paid").isBoolean(), answer.text());
            }
        }
    }
}
