package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How text is cut before the merges of a byte-level BPE tokenizer: what llama.cpp names in {@code tokenizer.ggml.pre}, and
 * the same in the form of {@code tokenizer.json}.
 */
enum PreTokenizer {
    GPT_2(List.of("default", "gpt-2"), byteLevel(true), false),
    SMOLLM(List.of("smollm"), "{\"type\":\"Digits\",\"individual_digits\":true}," + byteLevel(true), false),
    LLAMA_3(List.of("llama-bpe", "llama3", "llama-v3"), split("\\\\p{N}{1,3}") + "," + byteLevel(false), true),
    QWEN_2(List.of("qwen2"), split("\\\\p{N}") + "," + byteLevel(false), false);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> names;
    private final String steps;
    private final boolean ignoresMerges;

    PreTokenizer(List<String> names, String steps, boolean ignoresMerges) {
        this.names = names;
        this.steps = steps;
        this.ignoresMerges = ignoresMerges;
    }

    static Optional<PreTokenizer> named(String name) {
        return Arrays.stream(values()).filter(p -> p.names.contains(name)).findFirst();
    }

    static List<String> allNames() {
        return Arrays.stream(values()).flatMap(p -> p.names.stream()).toList();
    }

    /** The {@code pre_tokenizer} of tokenizer.json. */
    JsonNode json() {
        return parse("{\"type\":\"Sequence\",\"pretokenizers\":[" + steps + "]}");
    }

    /** Whether a word that is a token as a whole is taken before any merge. */
    boolean ignoresMerges() {
        return ignoresMerges;
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
        return "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":" + useRegex + "}";
    }

    private static String split(String digits) {
        return "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|"
                + digits + "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"
                + "\"behavior\":\"Isolated\",\"invert\":false}";
    }
}
