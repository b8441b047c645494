package io.peft4j.models.tokenizer.internal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import java.util.Map;

/**
 * What a tokenizer keeps of its files, to write them again: the text of {@code tokenizer.json}, since its tree takes
 * several times as much memory.
 *
 * @param tokenizer the text of {@code tokenizer.json}, UTF-8
 * @param config {@code tokenizer_config.json}, without the chat templates
 * @param chatTemplates the texts of the chat templates by name
 */
record TokenizerTexts(byte[] tokenizer, ObjectNode config, Map<String, String> chatTemplates) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The files as they are now. */
    static TokenizerTexts of(TokenizerFiles files) {
        try {
            return new TokenizerTexts(JSON.writeValueAsBytes(files.tokenizer()), files.config(), files.chatTemplates());
        } catch (JsonProcessingException e) {
            throw new FileFormatException(files.origin(), "cannot be written as JSON: " + e.getOriginalMessage(), e);
        }
    }
}
