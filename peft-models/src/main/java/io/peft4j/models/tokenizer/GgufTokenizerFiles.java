package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import java.util.List;
import java.util.Optional;

/** Rebuilds a tokenizer's files from the metadata of a GGUF file. */
final class GgufTokenizerFiles {
    private static final String PREFIX = "tokenizer.ggml.";
    /** Token types of ggml: tokens that control the model, and tokens that a user added. */
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final List<String> SPECIAL = List.of("bos", "eos", "unknown", "padding");
    private static final List<String> SPECIAL_KEYS = List.of("bos_token", "eos_token", "unk_token", "pad_token");

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final List<String> tokens;
    private final long[] types;

    private GgufTokenizerFiles(GgufFile file) {
        this.file = file;
        this.metadata = file.metadata();
        String model = metadata.string(PREFIX + "model");
        if (!model.equals("gpt2")) {
            throw new FileFormatException(file.path(), "its tokenizer is of the kind \"" + model
                    + "\"; from GGUF files the kind \"gpt2\" (byte-level BPE) can be rebuilt. Use the model's Hugging Face "
                    + "folder instead");
        }
        this.tokens = metadata.strings(PREFIX + "tokens");
        this.types = metadata.has(PREFIX + "token_type") ? metadata.integers(PREFIX + "token_type")
                : new long[tokens.size()];
        if (types.length != tokens.size()) {
            throw new FileFormatException(file.path(), "there are " + types.length + " token types for "
                    + tokens.size() + " tokens");
        }
    }

    static TokenizerFiles of(GgufFile file) {
        return new GgufTokenizerFiles(file).build();
    }

    private TokenizerFiles build() {
        String name = metadata.string(PREFIX + "pre", "default");
        PreTokenizer preTokenizer = PreTokenizer.named(name).orElseThrow(() -> new FileFormatException(file.path(),
                PREFIX + "pre is \"" + name + "\"; those that can be rebuilt are " + PreTokenizer.allNames()));
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("version", "1.0");
        json.putNull("truncation");
        json.putNull("padding");
        addAddedTokens(json.putArray("added_tokens"));
        json.set("normalizer", preTokenizer.normalizer());
        json.set("pre_tokenizer", preTokenizer.json());
        addPostProcessor(json);
        json.set("decoder", PreTokenizer.decoder());
        addModel(json.putObject("model"), preTokenizer);
        return new TokenizerFiles(file.path(), json, config(), metadata.has("tokenizer.chat_template")
                ? Optional.of(metadata.string("tokenizer.chat_template")) : Optional.empty());
    }

    private void addAddedTokens(ArrayNode added) {
        for (int id = 0; id < types.length; id++) {
            if (types[id] == CONTROL || types[id] == USER_DEFINED) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("single_word", false)
                        .put("lstrip", false).put("rstrip", false).put("normalized", false)
                        .put("special", types[id] == CONTROL);
            }
        }
    }

    private void addModel(ObjectNode model, PreTokenizer preTokenizer) {
        model.put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("ignore_merges", preTokenizer.ignoresMerges());
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        ArrayNode merges = model.putArray("merges");
        metadata.strings(PREFIX + "merges").forEach(merges::add);
    }

    private void addPostProcessor(ObjectNode json) {
        Optional<String> bos = special("bos");
        if (!metadata.bool(PREFIX + "add_bos_token", false) || bos.isEmpty()) {
            json.putNull("post_processor");
            return;
        }
        ObjectNode processor = json.putObject("post_processor");
        processor.put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", bos.get()).put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        ArrayNode pair = processor.putArray("pair");
        pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
        ObjectNode token = processor.putObject("special_tokens").putObject(bos.get());
        token.put("id", bos.get());
        token.putArray("ids").add(metadata.integer(PREFIX + "bos_token_id"));
        token.putArray("tokens").add(bos.get());
    }

    private ObjectNode config() {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("clean_up_tokenization_spaces", false);
        String context = metadata.string("general.architecture", "") + ".context_length";
        if (metadata.has(context)) {
            config.put("model_max_length", metadata.integer(context));
        }
        for (int i = 0; i < SPECIAL.size(); i++) {
            String key = SPECIAL_KEYS.get(i);
            special(SPECIAL.get(i)).ifPresent(token -> config.put(key, token));
        }
        return config;
    }

    private Optional<String> special(String name) {
        String key = PREFIX + name + "_token_id";
        if (!metadata.has(key)) {
            return Optional.empty();
        }
        long id = metadata.integer(key);
        if (id < 0 || id >= tokens.size()) {
            throw new FileFormatException(file.path(), key + " is " + id + ", but there are " + tokens.size() + " tokens");
        }
        return Optional.of(tokens.get((int) id));
    }
}
