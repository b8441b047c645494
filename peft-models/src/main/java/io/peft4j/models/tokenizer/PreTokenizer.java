package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How text is cut before the merges of a byte-level BPE tokenizer: what llama.cpp names in {@code tokenizer.ggml.pre},
 * and the same in the form of {@code tokenizer.json}.
 */
enum PreTokenizer {
    /** One run of letters, digits or other signs is a word, with the blank before it. */
    GPT_2(List.of("gpt-2", PreTokenizer.UNKNOWN_NAME, "mpt", "phi-2"), byteLevel(true)),
    /** As GPT-2; accents are composed first. */
    OLMO(List.of("olmo", "modern-bert"), byteLevel(true), Trait.COMPOSES),
    /** As GPT-2, each digit alone. */
    SMOLLM(List.of("smollm", "starcoder", "refact", "codeshell"), digits() + byteLevel(true)),
    /** As SmolLM; accents are composed first. */
    COMMAND_R(List.of("command-r"), digits() + byteLevel(true), Trait.COMPOSES),
    /** Up to three digits together; a word that is a token needs no merges. */
    LLAMA_3(List.of("llama-bpe", "llama3", "llama-v3", "falcon3", "lfm2"), words(WordPatterns.DIGITS_3),
            Trait.IGNORES_MERGES, Trait.ADDS_BOS),
    /** As Llama 3, with merges alone. */
    DBRX(List.of("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), words(WordPatterns.DIGITS_3)),
    /** Each digit alone; accents are composed first. */
    QWEN_2(List.of("qwen2", "deepseek-r1-qwen", "megrez"), words(WordPatterns.DIGIT), Trait.COMPOSES),
    /** As Qwen 2, with marks as parts of words. */
    QWEN_35(List.of("qwen35"), split(String.format(WordPatterns.MARKED, WordPatterns.DIGIT)) + byteLevel(false),
            Trait.COMPOSES),
    /** Words end where upper case begins. */
    TEKKEN(List.of("tekken"), cased("", WordPatterns.DIGIT), Trait.IGNORES_MERGES, Trait.ADDS_BOS),
    /** As Tekken, with English endings kept at the word, and up to three digits together. */
    GPT_4O(List.of("gpt-4o", "llama4", "kanana2"), cased(WordPatterns.ENDINGS + "?", WordPatterns.DIGITS_3)),
    /** Digits, then Chinese and Japanese, then words, each cut out of what is left. */
    DEEPSEEK_V3(List.of("deepseek-v3", "hunyuan-dense"), split(WordPatterns.DIGITS_3)
            + split(WordPatterns.KANJI_AND_KANA) + split(WordPatterns.SIGNED) + byteLevel(false)),
    /** Line breaks, words, signs and Chinese with Korean, each cut out of what is left, and each digit alone. */
    DEEPSEEK_CODER(List.of("deepseek-coder"), split("[\r\n]") + split("\\s?\\p{L}+") + split("\\s?\\p{P}+")
            + split(WordPatterns.CJK) + digits() + byteLevel(false));

    /** What llama.cpp writes where it does not know. */
    static final String UNKNOWN_NAME = "default";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> names;
    private final String steps;
    private final Set<Trait> traits;

    PreTokenizer(List<String> names, String steps, Trait... traits) {
        this.names = names;
        this.steps = steps;
        this.traits = Set.of(traits);
    }

    /** What a kind does beside cutting text. */
    private enum Trait {
        COMPOSES, IGNORES_MERGES, ADDS_BOS
    }

    static Optional<PreTokenizer> named(String name) {
        return Arrays.stream(values()).filter(p -> p.names.contains(name)).findFirst();
    }

    static List<String> allNames() {
        return Arrays.stream(values()).flatMap(p -> p.names.stream()).toList();
    }

    String ggufName() {
        return names.get(0);
    }

    /** The {@code pre_tokenizer} of tokenizer.json. */
    JsonNode json() {
        return parse("{\"type\":\"Sequence\",\"pretokenizers\":[" + steps + "]}");
    }

    /** Whether a word that is a token as a whole is taken before any merge. */
    boolean ignoresMerges() {
        return traits.contains(Trait.IGNORES_MERGES);
    }

    /** Whether a text begins with the begin-of-sequence token where the file does not say. */
    boolean addsBos() {
        return traits.contains(Trait.ADDS_BOS);
    }

    /** The {@code normalizer} of tokenizer.json. */
    JsonNode normalizer() {
        return parse(traits.contains(Trait.COMPOSES) ? "{\"type\":\"NFC\"}" : "null");
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

    private static String words(String digits) {
        return split(String.format(WordPatterns.WORDS, digits)) + byteLevel(false);
    }

    private static String cased(String endings, String digits) {
        return split(String.format(WordPatterns.CASED, endings, endings, digits)) + byteLevel(false);
    }

    /** A step that cuts out each digit. */
    private static String digits() {
        return "{\"type\":\"Digits\",\"individual_digits\":true},";
    }

    /** A step that cuts out what a regular expression matches. */
    private static String split(String pattern) {
        String regex = JsonNodeFactory.instance.textNode(pattern).toString();
        return "{\"type\":\"Split\",\"pattern\":{\"Regex\":" + regex
                + "},\"behavior\":\"Isolated\",\"invert\":false},";
    }

    /** The regular expressions that {@link PreTokenizer} cuts text with; {@code %s} stands for a part that differs. */
    private static final class WordPatterns {
        /** One digit, in any script. */
        static final String DIGIT = "\\p{N}";
        /** Up to three digits. */
        static final String DIGITS_3 = "\\p{N}{1,3}";
        /** English endings after an apostrophe. */
        static final String ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

        private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
        private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
        private static final String LEAD = "[^\\r\\n\\p{L}\\p{N}]?";
        private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

        /** Words with the sign before them; the part is the digits. */
        static final String WORDS = ENDINGS + "|" + LEAD + "\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + SPACES;
        /**
         * Words that end where upper case begins; the parts are what may follow each of their two forms, and the
         * digits.
         */
        static final String CASED = LEAD + UPPER + "*" + LOWER + "+%s|" + LEAD + UPPER + "+" + LOWER
                + "*%s|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;

        /** As {@link #WORDS}, with marks as parts of words. */
        static final String MARKED = ENDINGS + "|" + LEAD + "[\\p{L}\\p{M}]+|%s| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
                + SPACES;
        /** Words, where a sign may stand before Latin letters. */
        static final String SIGNED = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
                + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*" + SPACES;
        /** Chinese and Japanese signs. */
        static final String KANJI_AND_KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
        /** Chinese, Korean, and what lies between Arabic and Chinese. */
        static final String CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";

        private WordPatterns() {
        }
    }
}
