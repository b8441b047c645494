package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.TokenBound;
import io.peft4j.core.text.TokenStreamDecoder;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.models.hub.ModelSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rebuilds each kind of tokenizer from GGUF metadata and holds it against the tokens that Python gives. */
class GoldenTokensTest {
    private static final Path FOLDER = Path.of("../tests/fixtures/tokenizers");
    private static final String PREFIX = "tokenizer.ggml.";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "smollm", "llama-bpe", "qwen2", "tekken", "gpt-4o", "sentencepiece", "olmo",
        "command-r", "dbrx", "qwen35", "deepseek-v3", "deepseek-coder", "bert", "bert-cased", "unigram"})
    void tokensOffsetsAndTextEqualPython(String kind) throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve(kind + ".json").toFile());
        List<String> wrong = new ArrayList<>();
        try (GgufFile file = gguf(metadata(golden)); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            for (JsonNode expected : golden.get("cases")) {
                check(tokenizer, expected, wrong);
            }
        }
        assertTrue(golden.get("cases").size() > 100, "the file holds fewer texts than were made");
        assertEquals("", String.join("\n", wrong));
    }

    /** The golden texts with words between them, in several pieces where the kind of tokenizer allows that. */
    @ParameterizedTest
    @CsvSource({"gpt-2, true", "llama-bpe, true", "qwen2, true", "tekken, true", "deepseek-v3, true", "bert, true",
        "unigram, true", "sentencepiece, false"})
    void aLongTextInPiecesHasTheTokensOfTheWhole(String kind, boolean inPieces) throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve(kind + ".json").toFile());
        String texts = golden.get("cases").findValuesAsText("text").stream().collect(Collectors.joining(" and then "));
        String text = texts.repeat(1 + 2 * TokenBound.LONG / texts.length());
        try (GgufFile file = gguf(metadata(golden)); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            List<Integer> lengths = new ArrayList<>();
            int[] tokens = TokenBound.of(text, piece -> {
                lengths.add(piece.length());
                return tokenizer.encode(piece);
            });
            assertArrayEquals(tokenizer.encode(text), tokens);
            assertEquals(inPieces, lengths.stream().allMatch(length -> length <= TokenBound.LONG), lengths.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "sentencepiece", "unigram"})
    void aSavedTokenizerGivesTheSameTokens(String kind) throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve(kind + ".json").toFile());
        Path folder = temporary.resolve("saved");
        try (GgufFile file = gguf(golden.get("metadata")); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            tokenizer.save(folder);
        }
        List<String> wrong = new ArrayList<>();
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            golden.get("cases").forEach(expected -> check(tokenizer, expected, wrong));
        }
        assertEquals("", String.join("\n", wrong));
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2", "sentencepiece"})
    void aStreamGivesTheSameTextInWholeCharacters(String kind) throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve(kind + ".json").toFile());
        try (GgufFile file = gguf(golden.get("metadata")); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            for (JsonNode expected : golden.get("cases")) {
                TokenStreamDecoder decoder = tokenizer.streamDecoder(false);
                StringBuilder text = new StringBuilder();
                for (JsonNode id : expected.get("ids")) {
                    String piece = decoder.accept(id.asInt());
                    assertTrue(!piece.contains("\uFFFD") || expected.get("text").textValue().contains("\uFFFD"), piece);
                    text.append(piece);
                }
                text.append(decoder.finish());
                assertEquals(tokenizer.decode(ints(expected.get("ids")), false), text.toString());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "sentencepiece"})
    void surroundingTokensComeFromTheFile(String kind) throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve(kind + ".json").toFile());
        ObjectNode metadata = golden.get("metadata").deepCopy();
        metadata.put("add_bos_token", true).put("add_eos_token", true);
        try (GgufFile file = gguf(metadata); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            int[] plain = tokenizer.encode("notice");
            int[] expected = new int[plain.length + 2];
            expected[0] = metadata.get("bos_token_id").asInt();
            System.arraycopy(plain, 0, expected, 1, plain.length);
            expected[plain.length + 1] = metadata.get("eos_token_id").asInt();
            assertArrayEquals(expected, tokenizer.encodeWithSpecials("notice"));
            assertEquals(expected[0], tokenizer.bosId().orElseThrow());
            assertEquals(expected[plain.length + 1], tokenizer.eosId().orElseThrow());
        }
    }

    @Test
    void specialTokensInATextAreOneTokenInSentencePieceToo() throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve("sentencepiece.json").toFile());
        try (GgufFile file = gguf(golden.get("metadata")); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            int[] ids = tokenizer.encode("<s>notice</s>");
            assertEquals(tokenizer.bosId().orElseThrow(), ids[0]);
            assertEquals(tokenizer.eosId().orElseThrow(), ids[ids.length - 1]);
            assertTrue(tokenizer.isSpecial(ids[0]) && !tokenizer.isSpecial(ids[1]));
            assertEquals("notice", tokenizer.decode(ids, true).strip());
            assertEquals("<tool>", tokenizer.idToToken(tokenizer.encode("<tool>")[0]).orElseThrow());
        }
    }

    @Test
    void unsupportedTokenizersAreRefused() throws IOException {
        JsonNode metadata = JSON.readTree(FOLDER.resolve("gpt-2.json").toFile()).get("metadata");
        refused(metadata.<ObjectNode>deepCopy().put("model", "plamo2"), "plamo2");
        refused(metadata.<ObjectNode>deepCopy().put("pre", "deepseek-llm"), "deepseek-llm");
        refused(metadata.<ObjectNode>deepCopy().put("eos_token_id", 704), "eos_token_id");
        ObjectNode types = metadata.deepCopy();
        types.putArray("token_type").add(1);
        refused(types, "token types");
        ObjectNode scores = metadata.<ObjectNode>deepCopy().put("model", "llama");
        scores.putArray("scores").add(1.5);
        refused(scores, "scores");
    }

    /** That of the file, and what it has in common with another kind. */
    private static JsonNode metadata(JsonNode golden) throws IOException {
        if (!golden.has("like")) {
            return golden.get("metadata");
        }
        JsonNode like = JSON.readTree(FOLDER.resolve(golden.get("like").asText() + ".json").toFile());
        return like.get("metadata").<ObjectNode>deepCopy().setAll((ObjectNode) golden.get("metadata"));
    }

    private void refused(JsonNode metadata, String word) {
        try (GgufFile file = gguf(metadata)) {
            String message = assertThrows(FileFormatException.class, () -> Tokenizers.fromGguf(file)).getMessage();
            assertTrue(message.contains(word), message);
        }
    }

    @Test
    @Tag("model")
    void smolLm2TokensMatchPython() throws IOException {
        JsonNode golden = JSON.readTree(FOLDER.resolve("smollm2.json").toFile());
        ModelSource source = ModelLocator.fromEnvironment().locate("HuggingFaceTB/SmolLM2-135M-Instruct");
        List<String> wrong = new ArrayList<>();
        if (source instanceof ModelSource.GgufPath) {
            try (GgufFile file = GgufFile.open(source.path()); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
                golden.get("cases").forEach(expected -> check(tokenizer, expected, wrong));
                assertEquals(golden.get("vocabulary").asInt(), tokenizer.vocabSize());
            }
        } else {
            try (Tokenizer tokenizer = Tokenizers.fromFolder(source.path())) {
                golden.get("cases").forEach(expected -> check(tokenizer, expected, wrong));
                assertEquals(golden.get("vocabulary").asInt(), tokenizer.vocabSize());
            }
        }
        assertEquals("", String.join("\n", wrong));
    }

    private static void check(Tokenizer tokenizer, JsonNode expected, List<String> wrong) {
        String text = expected.get("text").textValue();
        Encoding encoding = tokenizer.encodeWithOffsets(text);
        compare(wrong, text, "ids", ints(expected.get("ids")), tokenizer.encode(text));
        compare(wrong, text, "ids with offsets", ints(expected.get("ids")), encoding.ids());
        compare(wrong, text, "ids with specials", ints(expected.get("with_specials")),
                tokenizer.encodeWithSpecials(text));
        if (expected.has("start")) {
            compare(wrong, text, "start", ints(expected.get("start")), encoding.start());
            compare(wrong, text, "end", ints(expected.get("end")), encoding.end());
        }
        String decoded = tokenizer.decode(encoding.ids(), false);
        String skipping = tokenizer.decode(encoding.ids(), true);
        if (!decoded.equals(expected.get("decoded").textValue())
                || !skipping.equals(expected.get("decoded_skipping").textValue())) {
            wrong.add(JSON.valueToTree(text) + " decoded as " + JSON.valueToTree(decoded) + " and "
                    + JSON.valueToTree(skipping) + ", wanted " + expected.get("decoded") + " and "
                    + expected.get("decoded_skipping"));
        }
    }

    private static void compare(List<String> wrong, String text, String what, int[] expected, int[] actual) {
        if (!Arrays.equals(expected, actual)) {
            wrong.add(JSON.valueToTree(text) + " " + what + " " + Arrays.toString(actual) + ", wanted "
                    + Arrays.toString(expected));
        }
    }

    @Test
    void mergesOfGemma4AreThoseOfItsFile() {
        Path path = temporary.resolve("gemma4.gguf");
        new GgufWriter().string("general.architecture", "gemma4").string("tokenizer.ggml.model", "gemma4")
                .strings("tokenizer.ggml.tokens", List.of("<unk>", "<bos>", "a", "b", "ab", "\u2581", "\u2581ab",
                        "<0x0A>"))
                .int32s("tokenizer.ggml.token_type", 2, 3, 1, 1, 1, 1, 1, 6)
                .strings("tokenizer.ggml.merges", List.of("a b", "\u2581 ab"))
                .uint32("tokenizer.ggml.bos_token_id", 1).uint32("tokenizer.ggml.unknown_token_id", 0)
                .bool("tokenizer.ggml.add_bos_token", true).write(path);
        try (GgufFile file = GgufFile.open(path); Tokenizer tokenizer = Tokenizers.fromGguf(file)) {
            assertArrayEquals(new int[] {1, 4, 6, 5, 3, 7}, tokenizer.encodeWithSpecials("ab ab b\n"));
            assertEquals("ab ab b\n", tokenizer.decode(new int[] {4, 6, 5, 3, 7}, false));
        }
    }

    private GgufFile gguf(JsonNode metadata) {
        GgufWriter writer = new GgufWriter().string("general.architecture", "llama");
        metadata.fields().forEachRemaining(entry -> {
            String key = PREFIX + entry.getKey();
            JsonNode value = entry.getValue();
            if (value.isTextual()) {
                writer.string(key, value.textValue());
            } else if (value.isBoolean()) {
                writer.bool(key, value.booleanValue());
            } else if (value.isInt()) {
                writer.uint32(key, value.intValue());
            } else if (value.get(0).isTextual()) {
                writer.strings(key, StreamSupport.stream(value.spliterator(), false).map(JsonNode::textValue).toList());
            } else if (value.get(0).isInt()) {
                writer.int32s(key, ints(value));
            } else {
                float[] floats = new float[value.size()];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = value.get(i).floatValue();
                }
                writer.float32s(key, floats);
            }
        });
        Path file = temporary.resolve("tokenizer.gguf");
        writer.write(file);
        return GgufFile.open(file);
    }

    private static int[] ints(JsonNode values) {
        return StreamSupport.stream(values.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }
}
