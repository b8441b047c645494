package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A tokenizer.json that would end the process in Hugging Face's library is refused before it gets there. */
class TokenizerCheckTest {
    private static final Path TINY = Path.of("../tests/fixtures/tiny-llama/tokenizer.json");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int UNITS = 256;

    @TempDir
    private Path folder;

    private ObjectNode tiny() throws IOException {
        return (ObjectNode) JSON.readTree(TINY.toFile());
    }

    private String refusal(ObjectNode tokenizer) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        String message = assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder)).getMessage();
        assertTrue(message.startsWith(folder.resolve("tokenizer.json").toString()), message);
        return message;
    }

    /** The first two were seen to end the process; the others are read out of the source of the library. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "normalizer|{'type':'Prepend','prepend':''}|prepend of Prepend is empty",
        "post_processor|{'type':'TemplateProcessing','single':[{'Sequence':{'id':'A','type_id':0}},{'Sequence':{'id':"
                + "'B','type_id':1}}],'pair':[],'special_tokens':{}}|has the sequence B",
        "decoder|{'type':'Strip','content':' ','start':1,'stop':1}|stop of Strip is 1; only 0 is supported",
        "post_processor|{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<s>','type_id':0}},{'Sequence':"
                + "{'id':'A','type_id':0}}],'pair':[],'special_tokens':{}}|which special_tokens does not describe",
        "post_processor|{'type':'TemplateProcessing','single':[],'pair':[],'special_tokens':{}}|the sequence A 0 times",
        "post_processor|{'type':'BertProcessing','sep':['a',0],'cls':['a',0],'single':[]}|has no field \"single\"",
        "post_processor|{'type':'Sequence','processors':[{'type':'BertProcessing','sep':['a',0],'cls':['a',0]},{'type':"
                + "'BertProcessing','sep':['a',0],'cls':['a',0]}]}|more than one step that adds tokens",
        "pre_tokenizer|{'type':'FixedLength','length':0}|expected a whole number of at least 1",
        "pre_tokenizer|{'type':'Split','pattern':{'Regex':'(a+)+$'},'behavior':'Isolated','invert':false}|"
                + "crashes when a match takes too long",
        "normalizer|{'type':'Replace','pattern':{'Regex':'^'},'content':'x'}|can match the empty text",
        "normalizer|{'type':'Replace','pattern':{'String':''},'content':'x'}|pattern of Replace is empty",
        "normalizer|{'type':'Precompiled','precompiled_charsmap':'AAAA'}|has a trie of 0 bytes",
        "normalizer|{'type':'Preppend','prepend':'x'}|the nearest of 14 are 'Prepend'",
        "decoder|{'type':'Sequence','decoders':[{'type':'Nothing'}]}|decoder has a step of the type \"Nothing\"",
        "decoder|{'type':'Fuse','x':1e400}|has a number that is too large",
        "normalizer|{'type':'Sequence','normalizers':[{'type':'NFKC'},{'type':'NFKC'},{'type':'NFKC'},{'type':'NFKC'}]}"
                + "|can make a text 256 times as long"})
    void aPartThatTheLibraryWouldNotSurviveIsRefused(String section, String json, String reason) throws IOException {
        ObjectNode tokenizer = tiny();
        String text = tokenizer.toString().replace("\"" + section + "\":" + tokenizer.get(section),
                "\"" + section + "\":" + json.replace('\'', '"'));
        Files.writeString(folder.resolve("tokenizer.json"), text);
        String message = assertThrows(FileFormatException.class, () -> Tokenizers.fromFolder(folder)).getMessage();
        assertTrue(message.contains(reason), message);
    }

    @Test
    void deepNestingIsRefused() throws IOException {
        ObjectNode tokenizer = tiny();
        ObjectNode step = JSON.createObjectNode().put("type", "Fuse");
        for (int i = 0; i < 60; i++) {
            ObjectNode outer = JSON.createObjectNode().put("type", "Sequence");
            outer.putArray("decoders").add(step);
            step = outer;
        }
        tokenizer.set("decoder", step);
        assertTrue(refusal(tokenizer).contains("nested more than 40 levels deep"));
    }

    @Test
    void aMergeShorterThanTheMarkOfItsPlaceIsRefused() throws IOException {
        ObjectNode tokenizer = tiny();
        ((ObjectNode) tokenizer.get("model")).put("continuing_subword_prefix", "####################");
        assertTrue(refusal(tokenizer).contains("does not begin with model.continuing_subword_prefix"));
    }

    @Test
    void aTokenAsDeepAsTheStackIsRefused() throws IOException {
        ObjectNode tokenizer = tiny();
        ObjectNode model = JSON.createObjectNode().put("type", "Unigram").put("unk_id", 0);
        model.putArray("vocab").addArray().add("a".repeat(200_000)).add(0.5);
        tokenizer.set("model", model);
        tokenizer.putArray("added_tokens");
        assertTrue(refusal(tokenizer).contains("has a token of 200000 bytes; up to 1000 are read"));
    }

    @Test
    void spacesThatTwoAddedTokensTakeAreRefused() throws IOException {
        ObjectNode tokenizer = tiny();
        int id = tokenizer.get("added_tokens").size() + 1000;
        add(tokenizer, id, "<m>").put("rstrip", true);
        add(tokenizer, id + 1, "  ").put("lstrip", true);
        assertTrue(refusal(tokenizer).contains("consists of spaces and has lstrip"));
    }

    private static ObjectNode add(ObjectNode tokenizer, int id, String content) {
        return tokenizer.withArray("added_tokens").addObject().put("id", id).put("content", content)
                .put("single_word", false).put("lstrip", false).put("rstrip", false).put("normalized", false)
                .put("special", true);
    }

    @Test
    void aTableOfReplacementsIsFollowedEverywhereItLeads() throws IOException {
        ObjectNode tokenizer = tiny();
        tokenizer.putObject("normalizer").put("type", "Precompiled")
                .put("precompiled_charsmap", table(1 ^ 'c' ^ 2, 0, "k"));
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        try (Tokenizer library = Tokenizers.fromFolder(folder)) {
            assertEquals(library.decode(library.encode("kab"), false), library.decode(library.encode("cab"), false));
        }
        tokenizer.putObject("normalizer").put("type", "Precompiled")
                .put("precompiled_charsmap", table(1 << 20, 0, "k"));
        assertTrue(refusal(tokenizer).contains("has a trie that leads out of itself"));
        tokenizer.putObject("normalizer").put("type", "Precompiled")
                .put("precompiled_charsmap", table(1 ^ 'c' ^ 2, 7, "k"));
        assertTrue(refusal(tokenizer).contains("begins at byte 7 of 1 bytes"));
        tokenizer.putObject("normalizer").put("type", "Precompiled")
                .put("precompiled_charsmap", table(1 ^ 'c' ^ 2, 0, "k".repeat(101)));
        assertTrue(refusal(tokenizer).contains("replaces a character by 101 bytes"));
        assertTrue(refusal((ObjectNode) tokenizer.set("normalizer", JSON.createObjectNode()
                .put("type", "Precompiled").put("precompiled_charsmap", "###"))).contains("precompiled_charsmap"));
    }

    /** A double array that leads from c to the text at {@code value}; {@code offset} is that of the unit of c. */
    private static String table(int offset, int value, String texts) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * UNITS + texts.length()).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(4 * UNITS);
        bytes.putInt(4, 1 << 10);
        bytes.putInt(4 + 4 * (1 ^ 'c'), 'c' | 1 << 8 | offset << 10);
        bytes.putInt(4 + 4 * 2, 1 << 31 | value);
        bytes.position(4 + 4 * UNITS).put(texts.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "a", "\u4f60", "\ud83d\ude00", "\0", "a ", "1"})
    @Tag("full")
    void aTextOfAMillionCharactersIsEncodedAndComesBack(String unit) throws IOException {
        String text = unit.repeat((1 << 20) / unit.length());
        ObjectNode tokenizer = tiny();
        tokenizer.set("pre_tokenizer", PreTokenizer.LLAMA_3.json());
        tokenizer.putNull("post_processor");
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        try (Tokenizer library = Tokenizers.fromFolder(folder)) {
            assertEquals(text, library.decode(library.encode(text), false));
        }
    }

    @Test
    void aTextThatIsTooLongIsRefusedWithTheLengthThatIsTaken() throws IOException {
        ObjectNode tokenizer = tiny();
        tokenizer.putObject("normalizer").put("type", "NFKC");
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        try (Tokenizer library = Tokenizers.fromFolder(folder)) {
            String message = assertThrows(FileFormatException.class, () -> library.encode("a".repeat((1 << 20) + 1)))
                    .getMessage();
            assertTrue(message.contains("supports texts of up to 1048576 characters, and this one has "
                    + "1048577"), message);
        }
    }

    @Test
    void anErrorOfTheLibraryNamesTheFile() throws IOException {
        ObjectNode tokenizer = tiny();
        JsonNode model = JSON.readTree("{\"type\":\"WordLevel\",\"unk_token\":\"<none>\",\"vocab\":{\"a\":0}}");
        tokenizer.set("model", model);
        tokenizer.putArray("added_tokens");
        tokenizer.putNull("post_processor");
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
        try (Tokenizer library = Tokenizers.fromFolder(folder)) {
            String message = assertThrows(FileFormatException.class, () -> library.encode("b")).getMessage();
            assertTrue(message.startsWith(folder.toString()) && message.contains("cannot be used on this text"),
                    message);
        }
    }
}
