package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.io.SmallFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A tokenizer's files in a folder, as Hugging Face lays them. */
final class TokenizerFolder {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** The largest vocabularies known take some 30 MB. */
    private static final long LARGEST = 256L << 20;
    private static final List<String> OLDER = List.of("tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
            "spm.model", "vocab.json", "vocab.txt");
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";
    private static final String TEMPLATE_KEY = "chat_template";
    private static final String SUFFIX = ".jinja";
    /** A name becomes a file's name when it is saved, so it must not lead out of the folder. */
    private static final Pattern TEMPLATE_NAME = Pattern.compile("[A-Za-z0-9_-]{1,100}");

    private TokenizerFolder() {
    }

    static TokenizerFiles read(Path folder) {
        Path file = folder.resolve(TokenizerFiles.TOKENIZER);
        if (!Files.isRegularFile(file)) {
            throw new FileFormatException(folder, "has no " + TokenizerFiles.TOKENIZER + "; a tokenizer needs it "
                    + "and " + TokenizerFiles.CONFIG + OLDER.stream()
                            .filter(name -> Files.isRegularFile(folder.resolve(name))).findFirst()
                            .map(TokenizerFolder::older)
                            .orElse(""));
        }
        ObjectNode tokenizer = JsonFiles.object(file, LARGEST);
        ObjectNode config = JSON.createObjectNode();
        if (Files.isRegularFile(folder.resolve(TokenizerFiles.CONFIG))) {
            config.setAll(JsonFiles.object(folder.resolve(TokenizerFiles.CONFIG), SmallFiles.CONFIGURATION));
        }
        // As in transformers: the older file counts where the configuration does not list its added tokens, and wins.
        Path special = folder.resolve(SPECIAL_TOKENS);
        if (Files.isRegularFile(special) && !config.has("added_tokens_decoder")) {
            config.setAll(JsonFiles.object(special, SmallFiles.CONFIGURATION));
        }
        Map<String, String> templates = templates(folder, config.remove(TEMPLATE_KEY));
        SpecialTokens.addMissing(file, tokenizer, config);
        return new TokenizerFiles(file, tokenizer, config, templates);
    }

    private static String older(String name) {
        return ". " + name + " is an older format, which is not supported: convert it with "
                + "AutoTokenizer.from_pretrained(folder).save_pretrained(folder) in Transformers";
    }

    static void write(Path folder, TokenizerTexts files) {
        try {
            AtomicFiles.writeBytes(folder.resolve(TokenizerFiles.TOKENIZER), files.tokenizer());
            AtomicFiles.writeString(folder.resolve(TokenizerFiles.CONFIG),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(files.config()) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot write the tokenizer to " + folder, e);
        }
        files.chatTemplates().forEach((name, text) -> AtomicFiles.writeString(
                name.equals(TokenizerFiles.DEFAULT_TEMPLATE) ? folder.resolve(TokenizerFiles.CHAT_TEMPLATE)
                        : folder.resolve(TokenizerFiles.MORE_CHAT_TEMPLATES).resolve(name + SUFFIX),
                text));
    }

    /** The templates in files of their own, or in the configuration: a text, or a list of named ones. */
    private static Map<String, String> templates(Path folder, JsonNode inConfig) {
        Map<String, String> templates = new LinkedHashMap<>();
        Path config = folder.resolve(TokenizerFiles.CONFIG);
        if (inConfig != null && inConfig.isTextual()) {
            templates.put(TokenizerFiles.DEFAULT_TEMPLATE, inConfig.textValue());
        } else if (inConfig != null && !inConfig.isNull()) {
            for (JsonNode named : inConfig) {
                String name = named.path("name").asText();
                if (!TEMPLATE_NAME.matcher(name).matches() || !named.path("template").isTextual()) {
                    throw new FileFormatException(config, TEMPLATE_KEY + " holds a template without a name and a text");
                }
                templates.put(name, named.path("template").textValue());
            }
            if (!templates.containsKey(TokenizerFiles.DEFAULT_TEMPLATE)) {
                throw new FileFormatException(config, TEMPLATE_KEY
                        + " is neither a text nor a list with a template named \"default\"");
            }
        }
        Path more = folder.resolve(TokenizerFiles.MORE_CHAT_TEMPLATES);
        if (Files.isDirectory(more)) {
            files(more).forEach(file -> templates.put(name(file), text(file)));
        }
        Path file = folder.resolve(TokenizerFiles.CHAT_TEMPLATE);
        if (Files.isRegularFile(file)) {
            templates.put(TokenizerFiles.DEFAULT_TEMPLATE, text(file));
        }
        return templates;
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX) && TEMPLATE_NAME.matcher(name(file)).matches())
                    .sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder, e);
        }
    }

    private static String name(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - SUFFIX.length());
    }

    private static String text(Path file) {
        return new String(SmallFiles.read(file, SmallFiles.CONFIGURATION), StandardCharsets.UTF_8);
    }

    /**
     * What a tokenizer keeps of its files, to write them again: the text of {@code tokenizer.json}, since its tree
     * takes several times as much memory.
     *
     * @param tokenizer the text of {@code tokenizer.json}, UTF-8
     * @param config {@code tokenizer_config.json}, without the chat templates
     * @param chatTemplates the texts of the chat templates by name
     */
    record TokenizerTexts(byte[] tokenizer, ObjectNode config, Map<String, String> chatTemplates) {
        private static final ObjectMapper JSON = new ObjectMapper();

        /** {@code tokenizer.json} without its special tokens, which are text then; all others keep their ids. */
        byte[] withoutSpecials() {
            try {
                ObjectNode plain = (ObjectNode) JSON.readTree(tokenizer);
                ArrayNode kept = JSON.createArrayNode();
                plain.path("added_tokens").forEach(token -> {
                    if (!token.path("special").asBoolean()) {
                        kept.add(token);
                    }
                });
                return JSON.writeValueAsBytes(plain.set("added_tokens", kept));
            } catch (IOException e) {
                throw new UncheckedIOException("the tokenizer's own JSON", e);
            }
        }

        /** The files as they are now. */
        static TokenizerTexts of(TokenizerFiles files) {
            try {
                return new TokenizerTexts(JSON.writeValueAsBytes(files.tokenizer()), files.config(),
                        files.chatTemplates());
            } catch (JsonProcessingException e) {
                throw new FileFormatException(files.origin(), "cannot be written as JSON: " + e.getOriginalMessage(),
                        e);
            }
        }
    }
}
