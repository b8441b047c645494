package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import java.util.List;
import java.util.Locale;

/**
 * BERT's WordPiece in the form of {@code tokenizer.json}. llama.cpp marks pieces that begin a word with a visible
 * blank; Hugging Face marks those that do not, with {@code ##}.
 */
final class WordPiece {
    private static final int NORMAL = 1;
    private static final String BEGINS = "\u2581";
    private static final String CONTINUES = "##";
    private static final String LOWER = "normalizer.lowercase";
    private static final String STRIPS = "normalizer.strip_accents";

    private final List<String> tokens;
    private final long[] types;

    WordPiece(List<String> tokens, long[] types) {
        this.tokens = tokens;
        this.types = types;
    }

    /** Hugging Face's form of a token. */
    String token(int id) {
        String token = tokens.get(id);
        if (token.startsWith(BEGINS)) {
            return token.substring(BEGINS.length());
        }
        return types[id] == NORMAL && !isBracketed(token) ? CONTINUES + token : token;
    }

    /** Special tokens stand in brackets, whatever their type says: converters left it to that. */
    static boolean isBracketed(String token) {
        return token.startsWith("[") && token.endsWith("]");
    }

    /** llama.cpp's form of a token. */
    static String marked(String token) {
        return token.startsWith(CONTINUES) ? token.substring(CONTINUES.length()) : BEGINS + token;
    }

    /**
     * Adds what happens to a text before it is cut into pieces.
     *
     * @throws ConfigurationException when llama.cpp does something else
     */
    static void write(GgufWriter writer, JsonNode json, String prefix) {
        JsonNode normalizer = json.path("normalizer");
        boolean lower = normalizer.path("lowercase").asBoolean(true);
        if (!normalizer.path("type").asText().equals("BertNormalizer")
                || !normalizer.path("clean_text").asBoolean(true)
                || !normalizer.path("handle_chinese_chars").asBoolean(true)
                || !json.path("pre_tokenizer").equals(preTokenizer())
                || !json.path("model").path("continuing_subword_prefix").asText(CONTINUES).equals(CONTINUES)) {
            throw new ConfigurationException("llama.cpp's WordPiece normalizes and splits texts as BERT does, "
                    + "and this tokenizer uses " + normalizer + " and " + json.path("pre_tokenizer"));
        }
        writer.string(prefix + "model", "bert").string(prefix + "pre", "default").bool(prefix + LOWER, lower)
                .bool(prefix + STRIPS, normalizer.path("strip_accents").asBoolean(lower));
    }

    ObjectNode model(String unknown) {
        ObjectNode model = JsonNodeFactory.instance.objectNode();
        model.put("type", "WordPiece").put("unk_token", unknown).put("continuing_subword_prefix", CONTINUES)
                .put("max_input_chars_per_word", 100);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(token(id), id);
        }
        return model;
    }

    /**
     * Older files do not say whether upper case is kept: it is where pieces have letters that lower case changes. Some
     * of upper case have no other, such as the sign of the real numbers, which uncased vocabularies hold.
     */
    boolean isUncased() {
        for (int id = 0; id < tokens.size(); id++) {
            if (types[id] == NORMAL && !isBracketed(tokens.get(id))
                    && !tokens.get(id).toLowerCase(Locale.ROOT).equals(tokens.get(id))) {
                return false;
            }
        }
        return true;
    }

    JsonNode normalizer(GgufMetadata metadata, String prefix) {
        boolean lower = metadata.bool(prefix + LOWER, isUncased());
        ObjectNode normalizer = JsonNodeFactory.instance.objectNode();
        normalizer.put("type", "BertNormalizer").put("clean_text", true).put("handle_chinese_chars", true);
        normalizer.putNull("strip_accents").put("lowercase", lower);
        if (metadata.bool(prefix + STRIPS, lower) != lower) {
            normalizer.put("strip_accents", !lower);
        }
        return normalizer;
    }

    static JsonNode preTokenizer() {
        return JsonNodeFactory.instance.objectNode().put("type", "BertPreTokenizer");
    }

    static JsonNode decoder() {
        return JsonNodeFactory.instance.objectNode().put("type", "WordPiece").put("prefix", CONTINUES)
                .put("cleanup", true);
    }
}
