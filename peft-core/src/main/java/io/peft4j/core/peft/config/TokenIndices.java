package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Token ids whose rows are trained, in the two forms that Hugging Face PEFT's {@code trainable_token_indices} has: a
 * list, which means the input embedding, or a list for each name of a layer.
 *
 * @param ofEmbedding tokens of the input embedding
 * @param byLayer tokens by the end of a layer's path, for instance {@code embed_tokens} or {@code lm_head}
 */
public record TokenIndices(List<Integer> ofEmbedding, Map<String, List<Integer>> byLayer) {
    /** No tokens: JSON null. */
    public static final TokenIndices NONE = new TokenIndices(List.of(), Map.of());

    /**
     * Checks the lists.
     *
     * @throws ConfigurationException when both forms are given, a list is empty, or an id is negative or appears in a
     *     list twice
     */
    public TokenIndices {
        ofEmbedding = List.copyOf(ofEmbedding);
        Map<String, List<Integer>> copy = new LinkedHashMap<>();
        byLayer.forEach((name, tokens) -> copy.put(name, List.copyOf(tokens)));
        byLayer = Collections.unmodifiableMap(copy);
        if (!ofEmbedding.isEmpty() && !byLayer.isEmpty()) {
            throw new ConfigurationException("trainable_token_indices are given both as a list and by layer; use one "
                    + "form");
        }
        check("the input embedding", ofEmbedding);
        byLayer.forEach((name, tokens) -> {
            if (tokens.isEmpty()) {
                throw new ConfigurationException("trainable_token_indices has no tokens for '" + name + "'");
            }
            check("'" + name + "'", tokens);
        });
    }

    private static void check(String what, List<Integer> tokens) {
        if (new HashSet<>(tokens).size() != tokens.size() || tokens.stream().anyMatch(token -> token < 0)) {
            throw new ConfigurationException("trainable_token_indices for " + what + " are " + tokens
                    + "; each must be at least 0 and occur once");
        }
    }

    /** Tokens of the input embedding. */
    public static TokenIndices of(int... tokens) {
        return new TokenIndices(IntStream.of(tokens).boxed().toList(), Map.of());
    }

    /** Tokens by layer. */
    public static TokenIndices byLayer(Map<String, List<Integer>> tokens) {
        return new TokenIndices(List.of(), tokens);
    }
}
