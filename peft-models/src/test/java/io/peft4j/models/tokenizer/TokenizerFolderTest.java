package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the files beside {@code tokenizer.json} change. */
class TokenizerFolderTest {
    private static final Path TINY = Path.of("../tests/fixtures/tiny-llama");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @Test
    void filesOfAnOlderFormAreNamedWithTheWayToConvertThem() throws IOException {
        Files.writeString(folder.resolve("tokenizer.model"), "pieces");
        String message = assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder)).getMessage();
        assertTrue(message.contains("has no tokenizer.json") && message.contains("tokenizer.model is an older format")
                && message.contains("save_pretrained"), message);
    }

    @Test
    void aConfigurationThatIsNoJsonIsAFormatErrorWithItsName() throws IOException {
        Files.copy(TINY.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Path config = folder.resolve("tokenizer_config.json");
        for (byte[] bytes : List.of("{".getBytes(StandardCharsets.UTF_8), new byte[] {'{', '"', (byte) 0xff, '"', '}'},
                new byte[] {(byte) 0xfe, (byte) 0xff, 0}, new byte[0], "[]".getBytes(StandardCharsets.UTF_8))) {
            Files.write(config, bytes);
            String message = assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder)).getMessage();
            assertTrue(message.startsWith(config.toString()), message);
        }
    }

    /** The ids were checked against AutoTokenizer of transformers 5.24.0 on the same files. */
    @Test
    void tokensThatOnlyTheConfigurationNamesAreSpecial() throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(TINY.resolve("tokenizer.json").toFile());
        json.putArray("added_tokens");
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
        Files.writeString(folder.resolve("tokenizer_config.json"), """
                {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>",
                 "bos_token": {"content": "<|im_start|>"}, "pad_token": "<pad>",
                 "added_tokens_decoder": {"385": {"content": "<b>", "special": false},
                 "384": {"content": "<a>", "special": true}}, "additional_special_tokens": ["<more>"]}""");
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            assertArrayEquals(new int[] {1, 2, 384, 385, 386, 387},
                    tokenizer.encode("<|im_start|><|im_end|><a><b><pad><more>"));
            assertEquals(388, tokenizer.vocabSize());
            assertEquals(386, tokenizer.padId().orElseThrow());
            assertTrue(tokenizer.isSpecial(1) && tokenizer.isSpecial(384) && tokenizer.isSpecial(387));
            assertFalse(tokenizer.isSpecial(385) || tokenizer.isSpecial(0));
            assertEquals("<b>", tokenizer.decode(new int[] {1, 2, 384, 385, 386, 387}, true));
        }
    }

    /** Transformers 5 makes the pre-tokenizer and normalizer of a class that it knows again, whatever the file has. */
    @Test
    void theFileIsReadAsItSaysWhateverClassIsNamed() throws IOException {
        copyTiny("{\"tokenizer_class\": \"LlamaTokenizer\", \"eos_token\": \"<|im_end|>\"}");
        String text = "Ada's  notice period\n is 90 days";
        try (Tokenizer plain = Tokenizers.fromFolder(TINY); Tokenizer named = Tokenizers.fromFolder(folder)) {
            assertArrayEquals(plain.encode(text), named.encode(text));
            assertEquals(text, named.decode(named.encode(text), true));
        }
    }

    @Test
    void aTemplateForToolsIsUsedWhereToolsAreOffered() throws IOException {
        copyTiny("""
                {"eos_token": "<|im_end|>", "chat_template": [{"name": "default", "template": "plain {{ eos_token }}"},
                 {"name": "tool_use", "template": "tools {{ tools | length }}"}]}""");
        Path saved = folder.resolve("saved");
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            checkTemplates(tokenizer.chatTemplate().orElseThrow());
            tokenizer.save(saved);
        }
        try (Tokenizer tokenizer = Tokenizers.fromFolder(saved)) {
            checkTemplates(tokenizer.chatTemplate().orElseThrow());
        }
    }

    private static void checkTemplates(ChatTemplate template) {
        List<ChatMessage> messages = List.of(ChatMessage.user("x"));
        assertEquals("plain <|im_end|>", template.render(messages, false));
        assertEquals("tools 1", template.render(messages, false, List.of(Map.of("name", "f")), Map.of()));
        assertEquals("plain {{ eos_token }}", template.source());
    }

    @Test
    void theTemplateFileTakesPrecedence() throws IOException {
        copyTiny("{\"chat_template\": \"from the configuration\"}");
        Files.writeString(folder.resolve("chat_template.jinja"), "from the file");
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            assertEquals("from the file", tokenizer.chatTemplate().orElseThrow().source());
        }
    }

    @Test
    void aTemplateCannotBeSavedOutsideTheFolder() throws IOException {
        copyTiny("""
                {"chat_template": [{"name": "default", "template": ""}, {"name": "../x", "template": ""}]}""");
        assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder));
    }

    @Test
    void theOlderFileOfSpecialTokensIsRead() throws IOException {
        copyTiny("{}");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"eos_token\": {\"content\": \"<|im_end|>\"}}");
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            assertEquals(2, tokenizer.eosId().orElseThrow());
            assertTrue(tokenizer.bosId().isEmpty());
            assertTrue(tokenizer.chatTemplate().isEmpty());
        }
    }

    @Test
    void loneSurrogatesAreReplacedAndOffsetsKept() {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(TINY)) {
            Encoding broken = tokenizer.encodeWithOffsets("a\uD83D b\uDE42 c");
            Encoding repaired = tokenizer.encodeWithOffsets("a\uFFFD b\uFFFD c");
            assertArrayEquals(repaired.ids(), broken.ids());
            assertArrayEquals(repaired.start(), broken.start());
            assertEquals(7, broken.end()[broken.length() - 1]);
        }
    }

    @Test
    void manyThreadsMayUseATokenizerUntilItIsClosed() throws InterruptedException, ExecutionException {
        Tokenizer tokenizer = Tokenizers.fromFolder(TINY);
        int[] expected = tokenizer.encode("The keeper reads the book.");
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<Boolean>> results = IntStream.range(0, 4).mapToObj(i -> threads.submit(() -> {
            for (int n = 0; n < 100_000; n++) {
                try {
                    assertArrayEquals(expected, tokenizer.encode("The keeper reads the book."));
                    assertEquals("The keeper reads the book.", tokenizer.decode(expected, true));
                } catch (ClosedException e) {
                    return true;
                }
            }
            return false;
        })).toList();
        Thread.sleep(50);
        tokenizer.close();
        for (Future<Boolean> result : results) {
            assertTrue(result.get(), "a thread never saw that the tokenizer was closed");
        }
        threads.shutdown();
    }

    private void copyTiny(String config) throws IOException {
        Files.copy(TINY.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Files.writeString(folder.resolve("tokenizer_config.json"), config);
    }
}
