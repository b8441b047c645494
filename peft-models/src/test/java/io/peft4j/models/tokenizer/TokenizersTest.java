package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizersTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied", "tiny-llama-sharded"})
    void idsAndRenderedChatsMatchTransformers(String name) throws Exception {
        JsonNode expected = JSON.readTree(FIXTURES.resolve(name).resolve("expected.json").toFile());
        try (Tokenizer tokenizer = Tokenizers.fromFolder(FIXTURES.resolve(name))) {
            for (JsonNode text : expected.get("texts")) {
                if (!text.get("text").isNull()) {
                    assertArrayEquals(ints(text.get("input_ids")),
                            tokenizer.encodeWithSpecials(text.get("text").textValue()));
                }
            }
            for (JsonNode chat : expected.get("chats")) {
                List<ChatMessage> messages = new ArrayList<>();
                for (JsonNode message : chat.get("messages")) {
                    messages.add(ChatMessage.fromMap(JSON.convertValue(message, Map.class)));
                }
                String rendered = tokenizer.chatTemplate().orElseThrow().render(messages, false);
                assertEquals(chat.get("rendered").textValue(), rendered);
                assertArrayEquals(ints(chat.get("input_ids")), tokenizer.encode(rendered));
            }
        }
    }

    @Test
    void offsetsCountUtf16UnitsAndCoverWholeCharacters() {
        String text = "a \uD83D\uDE42 e\u0301 <|im_end|>\u6F22!";
        try (Tokenizer tokenizer = Tokenizers.fromFolder(FIXTURES.resolve("tiny-llama"))) {
            Encoding encoding = tokenizer.encodeWithOffsets(text);
            assertArrayEquals(tokenizer.encode(text), encoding.ids());
            int at = 0;
            for (int i = 0; i < encoding.length(); i++) {
                String piece = text.substring(encoding.start()[i], encoding.end()[i]);
                assertTrue(encoding.start()[i] <= at, "no gap before token " + i);
                assertTrue(!piece.isEmpty() && !Character.isLowSurrogate(piece.charAt(0)),
                        "whole characters: " + piece);
                at = Math.max(at, encoding.end()[i]);
            }
            assertEquals(text.length(), at);
            int end = tokenizer.tokenToId("<|im_end|>").orElseThrow();
            int where = java.util.stream.IntStream.range(0, encoding.length())
                    .filter(i -> encoding.ids()[i] == end).findFirst().orElseThrow();
            assertEquals(text.indexOf("<|im_end|>"), encoding.start()[where]);
            assertEquals(text, tokenizer.decode(encoding.ids(), false));
            assertEquals(text.replace("<|im_end|>", ""), tokenizer.decode(encoding.ids(), true));
        }
    }

    @Test
    void longTextsAreNotTruncated() {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(FIXTURES.resolve("tiny-llama"))) {
            String text = "notice period ".repeat(1000);
            assertEquals(text, tokenizer.decode(tokenizer.encode(text), false));
        }
    }

    @Test
    void savedTokenizerIsTheSame(@TempDir Path folder) {
        String text = "Hello <|im_start|>world<|im_end|> 123 \u00E9";
        try (Tokenizer tokenizer = Tokenizers.fromFolder(FIXTURES.resolve("tiny-llama-sharded"))) {
            tokenizer.save(folder);
            try (Tokenizer again = Tokenizers.fromFolder(folder)) {
                assertArrayEquals(tokenizer.encodeWithSpecials(text), again.encodeWithSpecials(text));
                assertEquals(tokenizer.eosId(), again.eosId());
                assertEquals(tokenizer.bosId(), again.bosId());
                assertEquals(tokenizer.padId(), again.padId());
                assertEquals(tokenizer.chatTemplate().orElseThrow().source(),
                        again.chatTemplate().orElseThrow().source());
            }
        }
    }

    @Test
    void misuseIsRefused(@TempDir Path folder) {
        assertTrue(assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder)).getMessage()
                .contains("tokenizer.json"));
        Tokenizer tokenizer = Tokenizers.fromFolder(FIXTURES.resolve("tiny-llama"));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {384}, true));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {-1}, true));
        tokenizer.close();
        tokenizer.close();
        assertThrows(ClosedException.class, () -> tokenizer.encode("x"));
    }

    @Test
    void damagedFilesGiveAnException(@TempDir Path folder) throws Exception {
        byte[] intact = Files.readAllBytes(FIXTURES.resolve("tiny-llama/tokenizer.json"));
        SplittableRandom random = new SplittableRandom(3);
        int refused = 0;
        for (int round = 0; round < 300; round++) {
            byte[] damaged = intact.clone();
            for (int i = random.nextInt(1, 6); i > 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(32, 127);
            }
            Files.write(folder.resolve("tokenizer.json"), random.nextInt(4) == 0
                    ? java.util.Arrays.copyOf(damaged, random.nextInt(damaged.length)) : damaged);
            try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
                assertTrue(tokenizer.vocabSize() > 0);
                tokenizer.encode("Hello world 123");
            } catch (FileFormatException e) {
                refused++;
                assertTrue(e.getMessage().contains("tokenizer.json"), e.getMessage());
            }
        }
        assertTrue(refused > 50, "only " + refused + " of 300 damaged files were refused");
    }

    private static int[] ints(JsonNode values) {
        return StreamSupport.stream(values.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }
}
