package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * The content of a tokenizer's files.
 *
 * @param origin where they came from, for messages
 * @param tokenizer {@code tokenizer.json}
 * @param config {@code tokenizer_config.json}, without the chat template
 * @param chatTemplate the text of the chat template
 */
record TokenizerFiles(Path origin, ObjectNode tokenizer, ObjectNode config, Optional<String> chatTemplate) {
    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";
    static final String CHAT_TEMPLATE = "chat_template.jinja";

    TokenizerFiles {
        Objects.requireNonNull(origin, "origin");
        Objects.requireNonNull(tokenizer, "tokenizer");
        Objects.requireNonNull(config, "config");
        Objects.requireNonNull(chatTemplate, "chatTemplate");
    }

    /** The text of a special token such as {@code eos_token}: a string, or an object with its content. */
    Optional<String> specialToken(String key) {
        var value = config.path(key);
        var text = value.isObject() ? value.path("content") : value;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }
}
