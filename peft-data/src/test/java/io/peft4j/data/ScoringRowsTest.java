package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts to score, in all forms. */
class ScoringRowsTest {
    private static final String ANSWER = "{\"role\": \"assistant\", \"content\": \"b b\"}";
    private static final String QUESTION = "{\"role\": \"user\", \"content\": \"a\"}";

    private final WordTokenizer tokenizer = new WordTokenizer(TinyNetwork.VOCABULARY);
    private final TinyModel model = new TinyModel(new TinyNetwork(1, false, true), tokenizer);

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void everyFormMarksWhatIsPredicted() throws IOException {
        List<TokenSequence> rows = read("""
                {"text": "a b a", "id": 1}
                {"input_ids": [5, 0, 12]}
                {"prompt": "a", "completion": " b a"}
                """ + "{\"messages\": [" + QUESTION + ", " + ANSWER + "]}\n"
                + "{\"prompt\": [" + QUESTION + ", " + ANSWER + ", " + QUESTION + "], \"completion\": ["
                + ANSWER + "]}\n");
        assertPredicted("a b a", " b a", rows.get(0));
        assertArrayEquals(new int[] {5, 0, 12}, rows.get(1).ids());
        assertEquals(2, rows.get(1).supervisedTokens());
        assertPredicted("a b a", " b a", rows.get(2));
        String turns = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb b<|im_end|>\n";
        assertPredicted(turns, "b b<|im_end|>", rows.get(3));
        assertPredicted(turns + turns, "b b<|im_end|>", rows.get(4));
    }

    private void assertPredicted(String text, String predicted, TokenSequence sequence) {
        assertEquals(text, tokenizer.decode(sequence.ids(), false));
        List<Integer> ids = new ArrayList<>();
        for (int t = 1; t < sequence.length(); t++) {
            if (sequence.weights()[t] != 0) {
                ids.add(sequence.ids()[t]);
            }
        }
        assertEquals(predicted, tokenizer.decode(ids.stream().mapToInt(i -> i).toArray(), false));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"id": 1}                           | has none of [text, input_ids, messages, prompt, source]
            {"text": "a", "input_ids": [1]}                    | has [text, input_ids] together
            {"text": 7}                                        | "text" is not a string
            {"text": ""}                                       | has no token
            {"input_ids": 7}                                   | "input_ids" is not a list
            {"input_ids": []}                                  | has no token
            {"input_ids": [13]}                                | "input_ids" holds 13
            {"input_ids": [-1]}                                | "input_ids" holds -1
            {"input_ids": [1.5]}                               | "input_ids" holds 1.5
            {"prompt": "a"}                                    | "completion" is missing
            {"prompt": "a", "completion": "a"}                 | a token spans the border
            {"messages": [{"role": "user", "content": "a"}]}   | has no assistant message
            {"prompt": [], "completion": []}                   | "prompt" is empty
            """)
    void anInvalidRowIsReportedWithItsLine(String row, String message) {
        DataException wrong = assertThrows(DataException.class, () -> read("{\"text\": \"a\"}\n" + row + "\n"));
        assertEquals(2, wrong.line());
        assertTrue(wrong.problem().startsWith(message), wrong.getMessage());
    }

    @Test
    void aRowLongerThanTheModelsLimitIsReported() {
        DataException wrong = assertThrows(DataException.class, () -> read("{\"text\": \"" + "a ".repeat(70) + "\"}"));
        assertEquals("has 71 tokens; the model's limit is 64", wrong.problem());
    }

    @Test
    void aFileWithoutRowsIsReported() {
        assertTrue(assertThrows(DataException.class, () -> read("\n")).problem().startsWith("contains no rows"));
    }

    @Test
    void aChatNeedsATemplate() throws IOException {
        try (TinyModel plain = new TinyModel(new TinyNetwork(1, false, true))) {
            Path file = Files.writeString(folder.resolve("chat.jsonl"), "{\"messages\": [" + QUESTION + ", " + ANSWER
                    + "]}");
            assertTrue(assertThrows(DataException.class, () -> new ScoringRows(plain).read(file, row -> {
            }))
                    .getMessage().contains("no chat template"));
        }
    }

    private List<TokenSequence> read(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("rows.jsonl"), text);
        List<TokenSequence> rows = new ArrayList<>();
        new ScoringRows(model).read(file, rows::add);
        return rows;
    }
}
