package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Writes a tokenizer as the metadata of a GGUF file: the way back from {@link GgufTokenizerFiles}. */
public final class GgufVocabulary {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;
    /** The keys of tokens that end an answer, beside the one that ends a text. */
    private static final List<String> MORE_STOPS = List.of("eot_token_id", "eom_token_id");
    /** Keys that do not change how a text is cut. */
    private static final List<String> WITHOUT_EFFECT = List.of("trim_offsets");

    private final JsonNode json;
    private final Path origin;
    private final String[] tokens;
    private final int[] types;

    private GgufVocabulary(TokenizerFiles files, int rows) {
        json = files.tokenizer();
        origin = files.origin();
        tokens = new String[rows];
        types = new int[rows];
        Arrays.fill(types, UNUSED);
        JsonNode vocabulary = json.path("model").path("vocab");
        vocabulary.properties().forEach(e -> put(e.getKey(), e.getValue().intValue(), NORMAL));
        for (int i = 0; vocabulary.isArray() && i < vocabulary.size(); i++) {
            put(vocabulary.path(i).path(0).asText(), i, NORMAL);
        }
        json.path("added_tokens").forEach(added -> put(added.path("content").asText(), added.path("id").intValue(),
                added.path("special").asBoolean() ? CONTROL : USER_DEFINED));
        for (int i = 0; i < rows; i++) {
            tokens[i] = tokens[i] == null ? "[PAD" + i + "]" : tokens[i];
        }
    }

    private void put(String token, int id, int type) {
        if (id < 0 || id >= tokens.length) {
            throw new ConfigurationException(
                    "the tokenizer has the id " + id + " (" + token + "), but the embedding has only "
                            + tokens.length + " rows");
        }
        tokens[id] = token;
        types[id] = type;
    }

    /**
     * Adds the tokenizer to a file.
     *
     * @param writer the file
     * @param tokenizer byte-level BPE that cuts text in a way that llama.cpp has a name for, SentencePiece's BPE or
     *     unigram model, or BERT's WordPiece
     * @param stops the tokens that end an answer, of which llama.cpp has names for three
     * @param rows rows of the model's embedding; ids without a token are filled up
     * @throws ConfigurationException when llama.cpp has no such tokenizer
     */
    public static void write(GgufWriter writer, Tokenizer tokenizer, Set<Integer> stops, int rows) {
        TokenizerFiles files = files(tokenizer);
        GgufVocabulary vocabulary = new GgufVocabulary(files, rows);
        JsonNode model = vocabulary.json.path("model");
        String kind = model.path("type").asText();
        switch (kind) {
            case "WordPiece" -> vocabulary.wordPiece(writer, tokenizer, files);
            case "Unigram" -> vocabulary.unigram(writer);
            case "BPE" -> {
                if (model.path("byte_fallback").asBoolean()) {
                    vocabulary.sentencePiece(writer, tokenizer);
                } else {
                    vocabulary.byteLevel(writer);
                }
            }
            default -> throw new ConfigurationException("a tokenizer of the kind \"" + kind + "\" cannot be written as "
                    + "GGUF; BPE, WordPiece and Unigram can");
        }
        writer.strings(PREFIX + "tokens", List.of(vocabulary.tokens)).int32s(PREFIX + "token_type", vocabulary.types);
        if (!kind.equals("WordPiece")) {
            surroundings(writer, tokenizer);
        }
        tokenizer.bosId().ifPresent(id -> writer.uint32(PREFIX + "bos_token_id", id));
        tokenizer.eosId().ifPresent(id -> writer.uint32(PREFIX + "eos_token_id", id));
        int[] others = stops.stream().mapToInt(id -> id).sorted()
                .filter(id -> id != tokenizer.eosId().orElse(-1)).limit(MORE_STOPS.size()).toArray();
        for (int i = 0; i < others.length; i++) {
            writer.uint32(PREFIX + MORE_STOPS.get(i), others[i]);
        }
        tokenizer.padId().ifPresent(id -> writer.uint32(PREFIX + "padding_token_id", id));
        tokenizer.chatTemplate().ifPresent(template -> writer.string("tokenizer.chat_template", template.source()));
    }

    /** Whether texts begin and end with a token of their own. */
    private static void surroundings(GgufWriter writer, Tokenizer tokenizer) {
        int[] added = tokenizer.encodeWithSpecials("a");
        if (tokenizer.bosId().isEmpty() && tokenizer.eosId().isEmpty() && added.length == tokenizer.encode("a").length
                + 2) {
            // An encoder's tokens for a class and an end have no other names in llama.cpp.
            writer.uint32(PREFIX + "bos_token_id", added[0]).uint32(PREFIX + "eos_token_id", added[added.length - 1])
                    .bool(PREFIX + "add_bos_token", true).bool(PREFIX + "add_eos_token", true);
            return;
        }
        writer.bool(PREFIX + "add_bos_token", tokenizer.bosId().isPresent()
                && added[0] == tokenizer.bosId().getAsInt());
        writer.bool(PREFIX + "add_eos_token", tokenizer.eosId().isPresent()
                && added[added.length - 1] == tokenizer.eosId().getAsInt());
    }

    /** A tokenizer shows its files by writing them. */
    private static TokenizerFiles files(Tokenizer tokenizer) {
        try {
            Path folder = Files.createTempDirectory("peft4j-tokenizer");
            try {
                tokenizer.save(folder);
                return TokenizerFolder.read(folder);
            } finally {
                AtomicFiles.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the tokenizer to a temporary folder: " + e.getMessage(), e);
        }
    }

    private void byteLevel(GgufWriter writer) {
        PreTokenizer kind = Stream.of(PreTokenizer.values())
                .filter(p -> steps(p.json()).equals(steps(json.path("pre_tokenizer")))
                        && p.normalizer().equals(nullNode(json.path("normalizer")))
                        && p.ignoresMerges() == json.path("model").path("ignore_merges").asBoolean())
                .findFirst().orElseThrow(() -> new ConfigurationException("the tokenizer " + origin.getFileName()
                        + " uses a pre-tokenizer that llama.cpp does not know: "
                        + json.path("pre_tokenizer") + "; known are " + PreTokenizer.allNames()));
        writer.string(PREFIX + "model", "gpt2").string(PREFIX + "pre", kind.ggufName());
        writer.strings(PREFIX + "merges", merges().stream().map(pair -> String.join(" ", pair)).toList());
    }

    private static JsonNode nullNode(JsonNode node) {
        return node.isMissingNode() ? JsonNodeFactory.instance.nullNode() : node;
    }

    /** The steps of a pre-tokenizer in a row, without what has no effect. */
    private static ArrayNode steps(JsonNode preTokenizer) {
        ArrayNode steps = JsonNodeFactory.instance.arrayNode();
        if (preTokenizer.path("type").asText().equals("Sequence")) {
            preTokenizer.path("pretokenizers").forEach(steps::add);
        } else {
            steps.add(preTokenizer);
        }
        ArrayNode plain = JsonNodeFactory.instance.arrayNode();
        steps.forEach(step -> plain.add(step instanceof ObjectNode object
                ? object.deepCopy().without(WITHOUT_EFFECT) : step));
        return plain;
    }

    private List<List<String>> merges() {
        List<List<String>> merges = new ArrayList<>();
        json.path("model").path("merges").forEach(merge -> merges.add(merge.isArray()
                ? List.of(merge.get(0).asText(), merge.get(1).asText()) : List.of(merge.asText().split(" ", 2))));
        return merges;
    }

    /** A piece's score is its place in the order of joining; what no pair joins to comes last. */
    private void sentencePiece(GgufWriter writer, Tokenizer tokenizer) {
        Map<String, Integer> rank = new HashMap<>();
        merges().forEach(pair -> rank.putIfAbsent(pair.get(0) + pair.get(1), rank.size()));
        float[] scores = new float[tokens.length];
        String unknown = json.path("model").path("unk_token").asText();
        for (int i = 0; i < tokens.length; i++) {
            scores[i] = types[i] == NORMAL ? -rank.getOrDefault(tokens[i], rank.size() + i) : 0;
            if (tokens[i].matches("<0x[0-9A-F]{2}>")) {
                types[i] = BYTE;
            } else if (tokens[i].equals(unknown)) {
                types[i] = UNKNOWN;
                writer.uint32(PREFIX + "unknown_token_id", i);
            } else if (types[i] == USER_DEFINED) {
                // llama.cpp looks for it in the text as it was written, with blanks.
                tokens[i] = tokens[i].replace('\u2581', ' ');
            }
        }
        writer.string(PREFIX + "model", "llama").string(PREFIX + "pre", "default")
                .float32s(PREFIX + "scores", scores)
                .bool(PREFIX + "add_space_prefix", tokenizer.encode("a").length > 0
                        && tokens[tokenizer.encode("a")[0]].startsWith("\u2581"));
    }

    /** llama.cpp always puts a token before a text and one behind it. */
    private void wordPiece(GgufWriter writer, Tokenizer tokenizer, TokenizerFiles files) {
        int[] plain = tokenizer.encode("a");
        int[] added = tokenizer.encodeWithSpecials("a");
        if (added.length != plain.length + 2 || !Arrays.equals(plain, Arrays.copyOfRange(added, 1, added.length - 1))) {
            throw new ConfigurationException("llama.cpp adds a token before and after each text with WordPiece, "
                    + "and this tokenizer does not");
        }
        WordPiece.write(writer, json, PREFIX);
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = types[i] == NORMAL ? WordPiece.marked(tokens[i]) : tokens[i];
        }
        int last = added[added.length - 1];
        writer.uint32(PREFIX + "cls_token_id", added[0]).uint32(PREFIX + "seperator_token_id", last);
        if (tokenizer.bosId().isEmpty() && tokenizer.eosId().isEmpty()) {
            // Programs of old look for them under these names.
            writer.uint32(PREFIX + "bos_token_id", added[0]).uint32(PREFIX + "eos_token_id", last);
        }
        id(json.path("model").path("unk_token").asText("[UNK]"))
                .ifPresent(id -> writer.uint32(PREFIX + "unknown_token_id", id));
        files.specialToken("mask_token").flatMap(this::id).ifPresent(id -> writer.uint32(PREFIX + "mask_token_id", id));
    }

    private Optional<Integer> id(String token) {
        int id = List.of(tokens).indexOf(token);
        return id < 0 ? Optional.empty() : Optional.of(id);
    }

    private void unigram(GgufWriter writer) {
        int unknown = json.path("model").path("unk_id").asInt(-1);
        if (unknown < 0 || unknown >= types.length) {
            throw new ConfigurationException("the tokenizer has no unknown token, which llama.cpp needs");
        }
        types[unknown] = UNKNOWN;
        Unigram.write(writer, json, types, PREFIX);
    }
}
