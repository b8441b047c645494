package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rebuilds a tokenizer's files from the metadata of a GGUF file. */
final class GgufTokenizerFiles {
    private static final Logger LOG = LoggerFactory.getLogger(GgufTokenizerFiles.class);
    private static final String PREFIX = "tokenizer.ggml.";
    private static final String TEMPLATE = "tokenizer.chat_template";
    private static final String BYTE_LEVEL = "gpt2";
    /** SentencePiece's BPE with its merges, as Gemma 4 has it. */
    private static final String MERGES = "gemma4";
    private static final String SENTENCE_PIECE = "llama";
    private static final String WORD_PIECE = "bert";
    private static final String UNIGRAM = "t5";
    /** What llama.cpp takes where a file does not say. */
    private static final int UNIGRAM_UNKNOWN = 2;
    /** Token types of ggml: the unknown token, tokens that control the model, and tokens that a user added. */
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    /** Named tokens of ggml (the spelling is its own), and what tokenizer_config.json calls them. */
    private static final List<String> SPECIAL = List.of("bos", "eos", "unknown", "padding", "cls", "seperator",
            "mask");
    private static final List<String> SPECIAL_KEYS = List.of("bos_token", "eos_token", "unk_token", "pad_token",
            "cls_token", "sep_token", "mask_token");

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final String model;
    private final List<String> tokens;
    private final long[] types;

    private GgufTokenizerFiles(GgufFile file) {
        this.file = file;
        this.metadata = file.metadata();
        this.model = metadata.string(PREFIX + "model");
        if (!List.of(BYTE_LEVEL, SENTENCE_PIECE, MERGES, WORD_PIECE, UNIGRAM).contains(model)) {
            throw new FileFormatException(file.path(), "unsupported tokenizer kind \"" + model + "\"; supported in "
                    + "GGUF files are \"gpt2\" (byte-level BPE), \"llama\", \"gemma4\" (SentencePiece BPE), \"bert\" "
                    + "(WordPiece) and \"t5\" (SentencePiece unigram). Use the model's Hugging Face folder instead");
        }
        this.tokens = metadata.strings(PREFIX + "tokens");
        this.types = metadata.has(PREFIX + "token_type") ? metadata.integers(PREFIX + "token_type")
                : new long[tokens.size()];
        if (types.length != tokens.size()) {
            throw new FileFormatException(file.path(), types.length + " token types for "
                    + tokens.size() + " tokens");
        }
    }

    static TokenizerFiles of(GgufFile file) {
        return new GgufTokenizerFiles(file).build();
    }

    private TokenizerFiles build() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("version", "1.0");
        json.putNull("truncation");
        json.putNull("padding");
        addAddedTokens(json.putArray("added_tokens"));
        switch (model) {
            case BYTE_LEVEL -> addPostProcessor(json, "bos", addByteLevel(json), "eos", false);
            case SENTENCE_PIECE, MERGES -> {
                addSentencePiece(json);
                addPostProcessor(json, "bos", true, "eos", false);
            }
            case UNIGRAM -> {
                json.set("model", Unigram.model(tokens, types, metadata.floats(PREFIX + "scores"),
                        metadata.integer(PREFIX + "unknown_token_id", UNIGRAM_UNKNOWN), file.path()));
                Unigram.addSteps(json, metadata, PREFIX);
                addPostProcessor(json, "bos", false, "eos", true);
            }
            default -> {
                addWordPiece(json);
                addPostProcessor(json, first("cls", "bos"), true, first("seperator", "eos"), true);
            }
        }
        return new TokenizerFiles(file.path(), json, config(), metadata.has(TEMPLATE)
                ? Map.of(TokenizerFiles.DEFAULT_TEMPLATE, metadata.string(TEMPLATE)) : Map.of());
    }

    /** Fills in byte-level BPE, and says whether tokenizers of this kind begin a text with a token of their own. */
    private boolean addByteLevel(ObjectNode json) {
        String name = metadata.string(PREFIX + "pre", PreTokenizer.UNKNOWN_NAME);
        PreTokenizer preTokenizer = PreTokenizer.named(name).orElseThrow(() -> new FileFormatException(file.path(),
                PREFIX + "pre is \"" + name + "\"; supported are " + PreTokenizer.allNames()));
        if (name.equals(PreTokenizer.UNKNOWN_NAME)) {
            LOG.warn("{} does not name its pre-tokenizer ({}pre); GPT-2's is assumed, and tokens are wrong if "
                    + "it is another one", file.path(), PREFIX);
        }
        json.set("normalizer", preTokenizer.normalizer());
        json.set("pre_tokenizer", preTokenizer.json());
        json.set("decoder", PreTokenizer.decoder());
        ArrayNode merges = addModel(json, null, preTokenizer.ignoresMerges());
        metadata.strings(PREFIX + "merges").forEach(merges::add);
        return preTokenizer.addsBos();
    }

    private void addWordPiece(ObjectNode json) {
        WordPiece piece = new WordPiece(tokens, types);
        json.set("normalizer", piece.normalizer(metadata, PREFIX));
        json.set("pre_tokenizer", WordPiece.preTokenizer());
        json.set("decoder", WordPiece.decoder());
        json.set("model", piece.model(special("unknown").orElse("[UNK]")));
    }

    private String first(String name, String otherwise) {
        return metadata.has(PREFIX + name + "_token_id") ? name : otherwise;
    }

    private void addSentencePiece(ObjectNode json) {
        boolean prefix = metadata.bool(PREFIX + "add_space_prefix", !model.equals(MERGES));
        json.set("normalizer", SentencePiece.normalizer(prefix));
        json.putNull("pre_tokenizer");
        json.set("decoder", SentencePiece.decoder(prefix));
        ArrayNode merges = addModel(json, special("unknown").orElse(null), false);
        if (model.equals(MERGES)) {
            metadata.strings(PREFIX + "merges").forEach(merges::add);
            return;
        }
        SentencePiece piece = new SentencePiece(tokens, types, metadata.floats(PREFIX + "scores"), file.path());
        piece.merges().forEach(pair -> merges.addArray().add(pair.left()).add(pair.right()));
    }

    private void addAddedTokens(ArrayNode added) {
        for (int id = 0; id < types.length; id++) {
            boolean special = types[id] == CONTROL || types[id] == UNKNOWN && !model.equals(BYTE_LEVEL)
                    || model.equals(WORD_PIECE) && isNamed(id);
            if (special || types[id] == USER_DEFINED) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("single_word", false)
                        .put("lstrip", false).put("rstrip", false).put("normalized", false)
                        .put("special", special);
            }
        }
    }

    /** Files of BERT models may call all of their tokens normal. */
    private boolean isNamed(int id) {
        return WordPiece.isBracketed(tokens.get(id)) && SPECIAL.stream()
                .anyMatch(name -> metadata.integer(PREFIX + name + "_token_id", -1) == id);
    }

    /** Adds the vocabulary, and an empty list of merges, which it gives. */
    private ArrayNode addModel(ObjectNode json, String unknown, boolean ignoresMerges) {
        ObjectNode bpe = json.putObject("model");
        boolean fallsBack = model.equals(SENTENCE_PIECE) || model.equals(MERGES);
        bpe.put("type", "BPE");
        bpe.putNull("dropout");
        bpe.put("unk_token", unknown);
        bpe.putNull("continuing_subword_prefix");
        bpe.putNull("end_of_word_suffix");
        bpe.put("fuse_unk", fallsBack);
        bpe.put("byte_fallback", fallsBack);
        bpe.put("ignore_merges", ignoresMerges);
        ObjectNode vocabulary = bpe.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        return bpe.putArray("merges");
    }

    /** What surrounds a text: the tokens at its begin and end, as far as they are added. */
    private void addPostProcessor(ObjectNode json, String first, boolean addsFirst, String last, boolean addsLast) {
        Optional<String> bos = metadata.bool(PREFIX + "add_bos_token", addsFirst) ? special(first) : Optional.empty();
        boolean ends = metadata.bool(PREFIX + "add_eos_token", addsLast);
        if (model.equals(WORD_PIECE)) {
            ends = metadata.bool(PREFIX + "add_sep_token", ends);
        }
        Optional<String> eos = ends ? special(last) : Optional.empty();
        if (bos.isEmpty() && eos.isEmpty()) {
            json.putNull("post_processor");
            return;
        }
        ObjectNode processor = json.putObject("post_processor");
        processor.put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        addSequence(single, bos, "A", 0, eos);
        addSequence(pair, bos, "A", 0, eos);
        addSequence(pair, model.equals(WORD_PIECE) ? Optional.empty() : bos, "B", 1, eos);
        ObjectNode ids = processor.putObject("special_tokens");
        bos.ifPresent(token -> addId(ids, token, first));
        eos.ifPresent(token -> addId(ids, token, last));
    }

    private static void addSequence(ArrayNode template, Optional<String> bos, String name, int typeId,
            Optional<String> eos) {
        bos.ifPresent(token -> template.addObject().putObject("SpecialToken").put("id", token).put("type_id", typeId));
        template.addObject().putObject("Sequence").put("id", name).put("type_id", typeId);
        eos.ifPresent(token -> template.addObject().putObject("SpecialToken").put("id", token).put("type_id", typeId));
    }

    private void addId(ObjectNode specialTokens, String token, String name) {
        ObjectNode entry = specialTokens.putObject(token);
        entry.put("id", token);
        entry.putArray("ids").add(metadata.integer(PREFIX + name + "_token_id"));
        entry.putArray("tokens").add(token);
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
            throw new FileFormatException(file.path(), key + " is " + id + ", but there are " + tokens.size()
                    + " tokens");
        }
        return Optional.of(tokens.get((int) id));
    }

    /**
     * SentencePiece's BPE in the form of {@code tokenizer.json}. SentencePiece has a score for each piece and joins the
     * two neighbours whose joined piece has the highest; {@code tokenizer.json} has a list of pairs in the order of
     * joining. So each way to cut a piece into two pieces becomes a pair, in the order of the joined pieces' scores.
     */
    private static final class SentencePiece {
        private static final int NORMAL = 1;
        /**
         * SentencePiece's own limit is 16; a longer piece can be no result of joining in a file that is not hostile.
         */
        private static final int MAX_LENGTH = 256;
        private static final char BLANK = '\u2581';

        private final List<String> tokens;
        private final float[] scores;
        private final Map<String, Integer> ids = new HashMap<>();

        SentencePiece(List<String> tokens, long[] types, float[] scores, Path file) {
            if (scores.length != tokens.size()) {
                throw new FileFormatException(file, scores.length + " token scores for " + tokens.size()
                        + " tokens");
            }
            this.tokens = tokens;
            this.scores = scores;
            for (int id = 0; id < tokens.size(); id++) {
                if (types[id] == NORMAL) {
                    ids.put(tokens.get(id), id);
                }
            }
        }

        /** A pair of pieces that is joined. */
        record Pair(String left, String right) {
        }

        private record Ranked(int left, int right, float score) {
        }

        /** The pairs, those that are joined first in front. */
        List<Pair> merges() {
            List<Ranked> ranked = new ArrayList<>();
            ids.forEach((piece, id) -> addCuts(piece, scores[id], ranked));
            ranked.sort(Comparator.comparing(Ranked::score).reversed().thenComparing(Ranked::left)
                    .thenComparing(Ranked::right));
            return ranked.stream().map(pair -> new Pair(tokens.get(pair.left), tokens.get(pair.right))).toList();
        }

        private void addCuts(String piece, float score, List<Ranked> ranked) {
            if (piece.length() > MAX_LENGTH) {
                return;
            }
            for (int cut = 1; cut < piece.length(); cut++) {
                Integer left = ids.get(piece.substring(0, cut));
                Integer right = left == null ? null : ids.get(piece.substring(cut));
                if (right != null) {
                    ranked.add(new Ranked(left, right, score));
                }
            }
        }

        /** Blanks become visible signs, and one is put in front of a text. */
        static JsonNode normalizer(boolean addsBlank) {
            ArrayNode steps = JsonNodeFactory.instance.arrayNode();
            if (addsBlank) {
                steps.addObject().put("type", "Prepend").put("prepend", String.valueOf(BLANK));
            }
            replace(steps.addObject(), " ", String.valueOf(BLANK));
            return sequence("normalizers", steps);
        }

        /** The way back: bytes become characters, and the blank in front is dropped. */
        static JsonNode decoder(boolean dropsBlank) {
            ArrayNode steps = JsonNodeFactory.instance.arrayNode();
            replace(steps.addObject(), String.valueOf(BLANK), " ");
            steps.addObject().put("type", "ByteFallback");
            steps.addObject().put("type", "Fuse");
            if (dropsBlank) {
                steps.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
            }
            return sequence("decoders", steps);
        }

        private static void replace(ObjectNode step, String from, String to) {
            step.put("type", "Replace");
            step.putObject("pattern").put("String", from);
            step.put("content", to);
        }

        private static JsonNode sequence(String key, ArrayNode steps) {
            ObjectNode sequence = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
            sequence.set(key, steps);
            return sequence;
        }
    }
}
