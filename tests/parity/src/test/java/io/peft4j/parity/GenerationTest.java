package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationListener;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextGenerator;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Draws, streams and ends of answers, on a tiny model. */
@ParameterizedClass
@MethodSource("io.peft4j.parity.KernelsUnderTest#all")
class GenerationTest {
    private static final GenerationOptions SAMPLED = GenerationOptions.defaults().withMaxNewTokens(12)
            .withSampling(0.9, 50, 0.95, 7);

    @Parameter
    KernelsUnderTest kernels;
    private BaseModel model;
    private TextGenerator endless;
    private List<JsonNode> rows;
    private List<Prompt> prompts;

    @BeforeEach
    void load() {
        model = kernels.load("tiny-llama");
        endless = generator(Set.of());
        rows = Fixtures.stream(Fixtures.json("generation.json").get("rows"))
                .filter(row -> row.get("model").asText().equals("tiny-llama") && row.get("adapter").isNull()).toList();
        prompts = rows.stream().map(row -> Prompt.tokens(Fixtures.ids(row.get("input_ids")))).toList();
    }

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void samplingIsDeterminedByTheSeed() {
        List<Completion> first = endless(prompts, SAMPLED);
        assertSame(first, endless(prompts, SAMPLED));
        List<Completion> other = endless(prompts, SAMPLED.withSampling(0.9, 50, 0.95, 8));
        assertTrue(IntStream.range(0, first.size())
                .anyMatch(i -> !Arrays.equals(first.get(i).ids(), other.get(i).ids())), "another seed, other draws");
    }

    @Test
    void tokensOutsideTheVocabularyAreNamed() {
        int size = model.network().description().vocabularySize();
        for (int id : new int[] {-1, size}) {
            ConfigurationException e = assertThrows(ConfigurationException.class,
                    () -> model.generate(List.of(prompts.get(0), Prompt.tokens(1, id)), SAMPLED));
            assertEquals("prompt 1 has the token " + id + "; the vocabulary is 0 to " + (size - 1), e.getMessage());
        }
    }

    @Test
    void samplingDoesNotDependOnTheBatch() {
        List<Completion> together = endless(prompts, SAMPLED);
        assertSame(together, endless(prompts, SAMPLED.withBatchSize(1)));
        assertSame(together, endless(prompts, SAMPLED.withBatchSize(4)));
        assertSame(together.subList(0, 2), endless(prompts.subList(0, 2), SAMPLED));
    }

    /** A prompt that leaves little room does not cut the answers of its neighbours. */
    @Test
    void theLimitDoesNotDependOnTheBatch() {
        int limit = model.network().description().maxPositions();
        Prompt nearlyFull = Prompt.tokens(IntStream.range(0, limit - 3).map(i -> 3 + i % 300).toArray());
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(12);
        List<Completion> together = endless(List.of(nearlyFull, prompts.get(0)), options);
        assertSame(Stream.of(nearlyFull, prompts.get(0)).map(p -> endless(List.of(p), options).get(0)).toList(),
                together);
        assertEquals(3, together.get(0).ids().length);
        assertEquals(12, together.get(1).ids().length);
    }

    @Test
    void piecesOfTheStreamAreTheText() {
        for (GenerationOptions options : List.of(GenerationOptions.defaults().withMaxNewTokens(20), SAMPLED)) {
            for (int batch : new int[] {1, 32}) {
                StringBuilder[] told = prompts.stream().map(p -> new StringBuilder()).toArray(StringBuilder[]::new);
                GenerationListener listener = (prompt, piece) -> {
                    told[prompt].append(piece);
                    return true;
                };
                List<Completion> answers = endless(prompts, options.withBatchSize(batch).withListener(listener));
                for (int i = 0; i < told.length; i++) {
                    assertEquals(answers.get(i).text(), told[i].toString());
                    assertEquals(model.tokenizer().decode(answers.get(i).ids(), true), answers.get(i).text());
                }
            }
        }
    }

    /** The tokens up to and with the first stop token; its text is not part of the answer. */
    @Test
    void aStopTokenEndsAnAnswer() {
        int[] expected = Fixtures.ids(rows.get(0).get("new_tokens"));
        int stop = expected[2];
        int end = IntStream.range(0, expected.length).filter(i -> expected[i] == stop).findFirst().orElseThrow() + 1;
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(20);
        List<Completion> answers = answers(generator(Set.of(stop)), prompts, options);
        assertArrayEquals(Arrays.copyOf(expected, end), answers.get(0).ids());
        assertEquals(StopReason.STOP_TOKEN, answers.get(0).stopReason());
        assertEquals(model.tokenizer().decode(Arrays.copyOf(expected, end - 1), true), answers.get(0).text());
        for (int i = 0; i < rows.size(); i++) {
            int[] ids = answers.get(i).ids();
            assertEquals(endsWith(ids, stop), answers.get(i).stopReason() == StopReason.STOP_TOKEN);
            assertArrayEquals(Arrays.copyOf(Fixtures.ids(rows.get(i).get("new_tokens")), ids.length), ids);
        }
    }

    /** The model's own stop tokens come from the checkpoint. */
    @Test
    void theModelsEndOfTurnEndsAnAnswer() {
        int endOfTurn = model.tokenizer().eosId().orElseThrow();
        List<Completion> answers = model.generate(prompts, SAMPLED.withMaxNewTokens(100).withSampling(3, 0, 1, 1));
        assertTrue(answers.stream().anyMatch(a -> a.stopReason() == StopReason.STOP_TOKEN), "some draw hits it");
        for (Completion answer : answers) {
            assertEquals(endsWith(answer.ids(), endOfTurn), answer.stopReason() == StopReason.STOP_TOKEN);
            assertEquals(endsWith(answer.ids(), endOfTurn) ? 1 : 0,
                    IntStream.of(answer.ids()).filter(id -> id == endOfTurn).count());
        }
    }

    @Test
    void aStopStringEndsAnAnswerBeforeIt() {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(20);
        for (Prompt prompt : prompts) {
            Completion whole = endless(List.of(prompt), options).get(0);
            String text = whole.text();
            int middle = text.offsetByCodePoints(0, text.codePointCount(0, text.length()) / 2);
            String stop = text.substring(middle, Math.min(text.length(), middle + 3));
            StringBuilder told = new StringBuilder();
            Completion cut = endless(List.of(prompt), options.withStopStrings(List.of("not in the text", stop))
                    .withListener((i, piece) -> {
                        told.append(piece);
                        return true;
                    })).get(0);
            assertEquals(text.substring(0, text.indexOf(stop)), cut.text());
            assertEquals(cut.text(), told.toString(), "nothing of the stop string was told");
            assertEquals(StopReason.STOP_TOKEN, cut.stopReason());
            assertArrayEquals(Arrays.copyOf(whole.ids(), cut.ids().length), cut.ids());
        }
    }

    private TextGenerator generator(Set<Integer> stopTokens) {
        return new TextGenerator(model.tokenizer(), model.chatTemplate(), stopTokens);
    }

    private List<Completion> endless(List<Prompt> some, GenerationOptions options) {
        return answers(endless, some, options);
    }

    private List<Completion> answers(TextGenerator generator, List<Prompt> some, GenerationOptions options) {
        try (ModelLease lease = model.lease()) {
            return generator.generate(lease, some, options);
        }
    }

    private static boolean endsWith(int[] ids, int last) {
        return ids[ids.length - 1] == last;
    }

    private static void assertSame(List<Completion> expected, List<Completion> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).ids(), actual.get(i).ids(), "prompt " + i);
            assertEquals(expected.get(i).text(), actual.get(i).text(), "prompt " + i);
            assertEquals(expected.get(i).stopReason(), actual.get(i).stopReason(), "prompt " + i);
        }
    }
}
