package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How text is cut before the merges of a byte-level BPE tokenizer: what llama.cpp names in {@code tokenizer.ggml.pre},
 * and the same in the form of {@code tokenizer.json}.
 */
enum PreTokenizer {
    /** One run of letters, digits or other signs is a word, with the blank before it. */
    GPT_2(List.of("gpt-2", PreTokenizer.UNKNOWN_NAME, "mpt"), byteLevel(true), false, false),
    /** As GPT-2, each digit alone. */
    SMOLLM(List.of("smollm", "starcoder", "refact"),
            "{\"type\":\"Digits\",\"individual_digits\":true}," + byteLevel(true), false, false),
    /** Up to three digits together; a word that is a token needs no merges. */
    LLAMA_3(List.of("llama-bpe", "llama3", "llama-v3"), split(WordPatterns.WORDS, WordPatterns.DIGITS_3), true, true),
    /** As Llama 3, with merges alone. */
    DBRX(List.of("dbrx", "smaug-bpe"), split(WordPatterns.WORDS, WordPatterns.DIGITS_3), false, false),
    /** Each digit alone; accents are composed first. */
    QWEN_2(List.of("qwen2", "deepseek-r1-qwen"), split(WordPatterns.WORDS, WordPatterns.DIGIT), false, false),
    /** Words end where upper case begins. */
    TEKKEN(List.of("tekken"), split(WordPatterns.CASED, "", "", WordPatterns.DIGIT), true, true),
    /** As Tekken, with English endings kept at the word, and up to three digits together. */
    GPT_4O(List.of("gpt-4o"), split(WordPatterns.CASED, WordPatterns.ENDINGS + "?", WordPatterns.ENDINGS + "?",
            WordPatterns.DIGITS_3), false, false);

    /** What llama.cpp writes where it does not know. */
    static final String UNKNOWN_NAME = "default";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> names;
    private final String steps;
    private final boolean ignoresMerges;
    private final boolean addsBos;

    PreTokenizer(List<String> names, String steps, boolean ignoresMerges, boolean addsBos) {
        this.names = names;
        this.steps = steps;
        this.ignoresMerges = ignoresMerges;
        this.addsBos = addsBos;
    }

    static Optional<PreTokenizer> named(String name) {
        return Arrays.stream(values()).filter(p -> p.names.contains(name)).findFirst();
    }

    static List<String> allNames() {
        return Arrays.stream(values()).flatMap(p -> p.names.stream()).toList();
    }

    /** The name that is written. */
    String ggufName() {
        return names.get(0);
    }

    /** The {@code pre_tokenizer} of tokenizer.json. */
    JsonNode json() {
        return parse("{\"type\":\"Sequence\",\"pretokenizers\":[" + steps + "]}");
    }

    /** Whether a word that is a token as a whole is taken before any merge. */
    boolean ignoresMerges() {
        return ignoresMerges;
    }

    /** Whether a text begins with the begin-of-sequence token where the file does not say. */
    boolean addsBos() {
        return addsBos;
    }

    /** The {@code normalizer} of tokenizer.json. */
    JsonNode normalizer() {
        return parse(this == QWEN_2 ? "{\"type\":\"NFC\"}" : "null");
    }

    /** The {@code decoder} of tokenizer.json. */
    static JsonNode decoder() {
        return parse("{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}");
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a constant of this class is not valid JSON", e);
        }
    }

    private static String byteLevel(boolean useRegex) {
        return "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":" + useRegex
                + "}";
    }

    /** A cut by a regular expression, whose parts go into the places of {@code %s}, before the bytes are mapped. */
    private static String split(String pattern, String... parts) {
        String regex = JsonNodeFactory.instance.textNode(String.format(pattern, (Object[]) parts)).toString();
        return "{\"type\":\"Split\",\"pattern\":{\"Regex\":" + regex + "},\"behavior\":\"Isolated\",\"invert\":false},"
                + byteLevel(false);
    }
}
