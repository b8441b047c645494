package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.PreferenceEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.models.tokenizer.Tokenizers;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is learned on models without a chat template, against TRL's trainer. */
class CompletionParityTest {
    private static final JsonNode EXPECTED = Fixtures.json("completions/expected.json");

    private static void with(String kind, Consumer<Tokenizer> action) {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Fixtures.FOLDER.resolve("completions").resolve(kind))) {
            action.accept(tokenizer);
        }
    }

    private static ChatExample example(JsonNode row) {
        return row.has("text") ? ChatExample.text(row.get("text").asText())
                : ChatExample.continuation(row.get("prompt").asText(), row.get("completion").asText());
    }

    /** TRL's ids, but each end of the sequence once: a prompt that begins with its token gets it twice there. */
    private static int[] once(JsonNode kind, int... ids) {
        int last = ids.length - 1;
        int to = ids[last] == kind.get("eos").asInt() && ids[last - 1] == ids[last] ? last : ids.length;
        return Arrays.copyOfRange(ids, doubled(kind, ids), to);
    }

    private static int doubled(JsonNode kind, int... ids) {
        return ids[0] == kind.get("bos").asInt() && ids[1] == ids[0] ? 1 : 0;
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "begins", "begins-and-ends"})
    void idsAndSupervisedTokensAreThoseOfTrl(String kind) {
        with(kind, tokenizer -> {
            for (JsonNode row : EXPECTED.get(kind).get("rows")) {
                TokenSequence ours = ChatEncoder.ofTexts(tokenizer).encode(example(row));
                int[] theirs = Fixtures.ids(row.get("input_ids"));
                assertArrayEquals(once(EXPECTED.get(kind), theirs), ours.ids(), row.toString());
                int[] learned = Fixtures.ids(row.get("learned"));
                int first = doubled(EXPECTED.get(kind), theirs);
                for (int t = 1; t < ours.length(); t++) {
                    assertEquals(learned[t + first], ours.weights()[t], row + " token " + t);
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "begins-and-ends"})
    void tokensAcrossTheEndOfThePromptAreCutThere(String kind) {
        with(kind, tokenizer -> {
            JsonNode row = EXPECTED.get(kind).get("spanning");
            int[] asked = tokenizer.encodeToContinue(row.get("prompt").asText());
            TokenSequence ours = ChatEncoder.ofTexts(tokenizer).encode(example(row));
            assertArrayEquals(asked, Arrays.copyOf(ours.ids(), asked.length));
            assertTrue(Arrays.mismatch(asked, Fixtures.ids(row.get("whole_ids"))) < asked.length);
            assertEquals(0, ours.weights()[asked.length - 1]);
            assertEquals(1, ours.weights()[asked.length]);
            assertEquals(row.get("prompt").asText() + row.get("completion").asText(),
                    tokenizer.decode(ours.ids(), true));
        });
    }

    @Test
    void whatCannotBeCutAtTheBorderIsRefused() {
        with("begins", tokenizer -> {
            DataException refused = assertThrows(DataException.class, () -> ChatEncoder.ofTexts(tokenizer)
                    .encode(example(EXPECTED.get("begins").get("spanning"))));
            assertTrue(refused.getMessage().contains("spans the border"), refused.getMessage());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "begins", "begins-and-ends"})
    void pairsOfAnswersHaveTheIdsOfTrlsDpoTrainer(String kind) {
        JsonNode expected = Fixtures.json("completions/preferences.json").get(kind);
        with(kind, tokenizer -> {
            for (JsonNode row : expected.get("rows")) {
                PreferenceEncoder.Pair pair = PreferenceEncoder.ofTexts(tokenizer).encode(PreferenceExample.of(
                        row.get("prompt").asText(), row.get("chosen").asText(), row.get("rejected").asText()),
                        Integer.MAX_VALUE, new AnswerFault.Log(), 0).orElseThrow();
                assertIds(expected, row, "chosen_ids", pair.preferred());
                assertIds(expected, row, "rejected_ids", pair.rejected());
            }
        });
    }

    private static void assertIds(JsonNode kind, JsonNode row, String answer, TokenSequence ours) {
        int[] prompt = Fixtures.ids(row.get("prompt_ids"));
        int[] learned = Fixtures.ids(row.get(answer));
        int[] both = IntStream.concat(Arrays.stream(prompt), Arrays.stream(learned)).toArray();
        int[] once = once(kind, both);
        assertArrayEquals(once, ours.ids(), row.toString());
        for (int t = 0; t < once.length; t++) {
            assertEquals(t < prompt.length ? 0 : 1, ours.weights()[t], row + " token " + t);
        }
    }

    @Test
    void aConversationIsRefusedWithWhatToDo() {
        with("plain", tokenizer -> {
            DataException refused = assertThrows(DataException.class, () -> ChatEncoder.ofTexts(tokenizer)
                    .encode(ChatExample.of(ChatMessage.user("Who?"), ChatMessage.assistant("Nobody."))));
            assertTrue(refused.getMessage().contains("no chat template"), refused.getMessage());
        });
    }

    @Test
    void aPreviewShowsThePromptAndWhatIsLearned() {
        with("begins-and-ends", tokenizer -> {
            ChatEncoder encoder = ChatEncoder.ofTexts(tokenizer);
            assertEquals("<bos>Who is it?[[ Nobody.<eos>]]",
                    encoder.preview(ChatExample.continuation("Who is it?", " Nobody.")));
            assertEquals("<bos>[[A text.<eos>]]", encoder.preview(ChatExample.text("A text.")));
        });
    }
}
