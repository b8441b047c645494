package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import io.peft4j.core.error.FileFormatException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Tokens and their ids, from {@code tokenizer.json}: the model's vocabulary and the added tokens. */
final class Vocabulary {
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<Integer, String> tokens = new HashMap<>();
    private final Set<Integer> special = new HashSet<>();
    private final int size;

    Vocabulary(TokenizerFiles files) {
        JsonNode vocabulary = files.tokenizer().path("model").path("vocab");
        if (vocabulary.isObject()) {
            vocabulary.fields().forEachRemaining(e -> put(files, e.getKey(), e.getValue()));
        } else if (vocabulary.isArray()) {
            for (int id = 0; id < vocabulary.size(); id++) {
                put(files, vocabulary.get(id).path(0).asText(), IntNode.valueOf(id));
            }
        } else {
            throw new FileFormatException(files.origin(), "model.vocab is neither an object nor a list");
        }
        for (JsonNode added : files.tokenizer().path("added_tokens")) {
            put(files, added.path("content").asText(), added.path("id"));
            if (added.path("special").asBoolean()) {
                special.add(added.path("id").asInt());
            }
        }
        size = tokens.keySet().stream().mapToInt(id -> id + 1).max().orElseThrow(
                () -> new FileFormatException(files.origin(), "the vocabulary is empty"));
    }

    private void put(TokenizerFiles files, String token, JsonNode id) {
        if (!id.isInt() || id.intValue() < 0) {
            throw new FileFormatException(files.origin(), "the id of token \"" + token + "\" is " + id
                    + "; expected a whole number of at least 0");
        }
        Integer key = id.intValue();
        ids.put(token, key);
        tokens.put(key, token);
    }

    /** One more than the largest id. */
    int size() {
        return size;
    }

    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    Optional<String> token(int id) {
        check(id);
        return Optional.ofNullable(tokens.get(id));
    }

    boolean isSpecial(int id) {
        return special.contains(id);
    }

    /** The texts of the special tokens. */
    List<String> specials() {
        return special.stream().map(tokens::get).filter(text -> !text.isEmpty()).toList();
    }

    void check(int id) {
        if (id < 0 || id >= size) {
            throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + size);
        }
    }
}
