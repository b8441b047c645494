package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A tokenizer's files in a folder, as Hugging Face lays them. */
final class TokenizerFolder {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";
    private static final String TEMPLATE_KEY = "chat_template";

    private TokenizerFolder() {
    }

    static boolean isTokenizer(Path folder) {
        return Files.isRegularFile(folder.resolve(TokenizerFiles.TOKENIZER));
    }

    static TokenizerFiles read(Path folder) {
        Path file = folder.resolve(TokenizerFiles.TOKENIZER);
        if (!Files.isRegularFile(file)) {
            throw new FileFormatException(folder, "holds no " + TokenizerFiles.TOKENIZER + "; a tokenizer needs it, and "
                    + TokenizerFiles.CONFIG + " beside it");
        }
        ObjectNode tokenizer = object(file);
        ObjectNode config = JSON.createObjectNode();
        Path special = folder.resolve(SPECIAL_TOKENS);
        if (Files.isRegularFile(special)) {
            config.setAll(object(special));
        }
        if (Files.isRegularFile(folder.resolve(TokenizerFiles.CONFIG))) {
            config.setAll(object(folder.resolve(TokenizerFiles.CONFIG)));
        }
        Optional<String> template = template(folder, config.remove(TEMPLATE_KEY));
        return new TokenizerFiles(file, tokenizer, config, template);
    }

    static void write(Path folder, TokenizerFiles files) {
        try {
            AtomicFiles.writeString(folder.resolve(TokenizerFiles.TOKENIZER), JSON.writeValueAsString(files.tokenizer()));
            AtomicFiles.writeString(folder.resolve(TokenizerFiles.CONFIG),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(files.config()) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot write the tokenizer to " + folder, e);
        }
        files.chatTemplate().ifPresent(
                text -> AtomicFiles.writeString(folder.resolve(TokenizerFiles.CHAT_TEMPLATE), text));
    }

    /** The template in its own file, or in the configuration: a text, or a list of named ones. */
    private static Optional<String> template(Path folder, JsonNode inConfig) {
        Path file = folder.resolve(TokenizerFiles.CHAT_TEMPLATE);
        if (Files.isRegularFile(file)) {
            return Optional.of(new String(bytes(file), StandardCharsets.UTF_8));
        }
        if (inConfig == null || inConfig.isNull()) {
            return Optional.empty();
        }
        if (inConfig.isTextual()) {
            return Optional.of(inConfig.textValue());
        }
        for (JsonNode named : inConfig) {
            if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
                return Optional.of(named.path("template").textValue());
            }
        }
        throw new FileFormatException(folder.resolve(TokenizerFiles.CONFIG), TEMPLATE_KEY
                + " is neither a text nor a list with a template named \"default\"");
    }

    private static ObjectNode object(Path file) {
        try {
            JsonNode value = JSON.readTree(bytes(file));
            if (value instanceof ObjectNode object) {
                return object;
            }
            throw new FileFormatException(file, "is not a JSON object");
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file, "is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
