package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.FileFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Brings the tokens that only {@code tokenizer_config.json} names into {@code tokenizer.json}, as transformers does
 * when it loads both: otherwise {@code <|im_end|>} in a text could fall into pieces.
 */
final class SpecialTokens {
    static final List<String> NAMED = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");

    private static final List<String> LISTS = List.of("additional_special_tokens", "extra_special_tokens");
    private static final List<String> FLAGS = List.of("single_word", "lstrip", "rstrip", "normalized");

    private final ArrayNode added;
    private final JsonNode vocabulary;
    private final Map<String, ObjectNode> byContent = new HashMap<>();
    private int next;

    private SpecialTokens(Path file, ObjectNode tokenizer) {
        JsonNode list = tokenizer.path("added_tokens");
        if (!list.isMissingNode() && !list.isNull() && !list.isArray()) {
            throw new FileFormatException(file, "added_tokens is not a list");
        }
        this.added = list instanceof ArrayNode array ? array : tokenizer.putArray("added_tokens");
        this.vocabulary = tokenizer.path("model").path("vocab");
        for (JsonNode token : added) {
            if (token instanceof ObjectNode object) {
                byContent.put(token.path("content").asText(), object);
                next = Math.max(next, token.path("id").asInt() + 1);
            }
        }
        for (JsonNode id : vocabulary.isObject() ? vocabulary : List.<JsonNode>of()) {
            next = Math.max(next, id.asInt() + 1);
        }
        next = Math.max(next, vocabulary.isArray() ? vocabulary.size() : 0);
    }

    /**
     * Adds the missing tokens.
     *
     * @param file where the tokenizer came from, for messages
     * @param tokenizer {@code tokenizer.json}, which is changed
     * @param config {@code tokenizer_config.json}
     */
    static void addMissing(Path file, ObjectNode tokenizer, ObjectNode config) {
        SpecialTokens tokens = new SpecialTokens(file, tokenizer);
        List<Map.Entry<String, JsonNode>> decoder = new ArrayList<>();
        config.path("added_tokens_decoder").fields().forEachRemaining(decoder::add);
        decoder.sort(Comparator.comparingInt(entry -> number(entry.getKey())));
        decoder.forEach(entry -> tokens.add(entry.getValue(), entry.getValue().path("special").asBoolean()));
        NAMED.forEach(key -> tokens.add(config.path(key), true));
        for (String key : LISTS) {
            Iterator<JsonNode> values = config.path(key).elements();
            values.forEachRemaining(value -> tokens.add(value, true));
        }
    }

    /**
     * Adds tokens of a user, which are as good as any other: they stand in decoded text.
     *
     * @param file where the tokenizer came from, for messages
     * @param tokenizer {@code tokenizer.json}, which is changed
     * @param texts one token each; those that are tokens already stay as they are
     */
    static void addNew(Path file, ObjectNode tokenizer, List<String> texts) {
        if (texts.isEmpty()) {
            return;
        }
        SpecialTokens tokens = new SpecialTokens(file, tokenizer);
        texts.forEach(text -> tokens.add(TextNode.valueOf(text), false));
    }

    private static int number(String id) {
        return id.matches("[0-9]{1,9}") ? Integer.parseInt(id) : Integer.MAX_VALUE;
    }

    /** Adds one token, a text or an object with its content; marks it as special if it is there already. */
    private void add(JsonNode token, boolean special) {
        JsonNode content = token.isObject() ? token.path("content") : token;
        if (!content.isTextual() || content.textValue().isEmpty()) {
            return;
        }
        ObjectNode known = byContent.get(content.textValue());
        if (known != null) {
            known.put("special", special || known.path("special").asBoolean());
            return;
        }
        ObjectNode entry = added.addObject();
        JsonNode id = id(content.textValue());
        entry.put("id", id == null ? next++ : id.asInt());
        entry.put("content", content.textValue());
        FLAGS.forEach(flag -> entry.put(flag, token.path(flag).asBoolean(false)));
        entry.put("special", special);
        byContent.put(content.textValue(), entry);
    }

    private JsonNode id(String token) {
        if (vocabulary.isObject()) {
            return vocabulary.get(token);
        }
        for (int i = 0; i < vocabulary.size(); i++) {
            if (vocabulary.get(i).path(0).asText().equals(token)) {
                return IntNode.valueOf(i);
            }
        }
        return null;
    }
}
