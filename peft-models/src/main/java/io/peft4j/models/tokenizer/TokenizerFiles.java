package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The content of a tokenizer's files.
 *
 * @param origin where they came from, for messages
 * @param tokenizer {@code tokenizer.json}
 * @param config {@code tokenizer_config.json}, without the chat templates
 * @param chatTemplates the texts of the chat templates by name; what is used unless another fits is {@code default}
 */
record TokenizerFiles(Path origin, ObjectNode tokenizer, ObjectNode config, Map<String, String> chatTemplates) {
    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";
    static final String CHAT_TEMPLATE = "chat_template.jinja";
    static final String MORE_CHAT_TEMPLATES = "additional_chat_templates";
    /** The name of the template that is used unless another fits better. */
    static final String DEFAULT_TEMPLATE = "default";
    /** The name of the template that is used where tools are offered. */
    static final String TOOL_TEMPLATE = "tool_use";

    TokenizerFiles {
        Objects.requireNonNull(origin, "origin");
        Objects.requireNonNull(tokenizer, "tokenizer");
        Objects.requireNonNull(config, "config");
        chatTemplates = Map.copyOf(chatTemplates);
    }

    /** The same with one chat template, for conversations with tools, too. */
    TokenizerFiles withTemplate(String text) {
        return new TokenizerFiles(origin, tokenizer, config, Map.of(DEFAULT_TEMPLATE, text));
    }

    /** The text of a special token such as {@code eos_token}: a string, or an object with its content. */
    Optional<String> specialToken(String key) {
        var value = config.path(key);
        var text = value.isObject() ? value.path("content") : value;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }
}
