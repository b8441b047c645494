package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * SentencePiece's unigram model, which T5 and XLM-RoBERTa have, in the form of {@code tokenizer.json} and of a GGUF
 * file (kind {@code t5}): pieces with their log-probabilities, and a table of what becomes of characters before.
 */
final class Unigram {
    private static final int NORMAL = 1;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;
    private static final String CHARS = "precompiled_charsmap";
    private static final String SPACES = "remove_extra_whitespaces";
    private static final String PREFIX_SPACE = "add_space_prefix";
    /** Our own: llama.cpp drops blanks at the end of a text, tokenizers that Transformers makes now keep one. */
    private static final String TRAILING = "peft4j.tokenizer.keeps_trailing_blank";
    private static final String BLANK = "\u2581";
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private Unigram() {
    }

    /** The model: ids that no token has, at the end, are left out. */
    static ObjectNode model(List<String> tokens, long[] types, float[] scores, long unknown, Path file) {
        if (scores.length != tokens.size()) {
            throw new FileFormatException(file, scores.length + " token scores for " + tokens.size() + " tokens");
        }
        if (unknown < 0 || unknown >= tokens.size()) {
            throw new FileFormatException(file, "the unknown token is " + unknown + ", but there are " + tokens.size()
                    + " tokens");
        }
        int count = tokens.size();
        while (count > unknown + 1 && types[count - 1] == UNUSED) {
            count--;
        }
        float least = 0;
        for (int id = 0; id < count; id++) {
            least = types[id] == NORMAL ? Math.min(least, scores[id]) : least;
        }
        ObjectNode model = JSON.objectNode().put("type", "Unigram").put("unk_id", unknown);
        ArrayNode pieces = model.putArray("vocab");
        for (int id = 0; id < count; id++) {
            // What is no piece must not become the least likely one: that decides how bad an unknown character is.
            pieces.addArray().add(tokens.get(id)).add(types[id] == NORMAL ? scores[id] : types[id] == UNUSED
                    || types[id] == BYTE ? least : 0);
        }
        return model.put("byte_fallback", false);
    }

    /** What happens to a text before it is cut into pieces. */
    static void addSteps(ObjectNode json, GgufMetadata metadata, String prefix) {
        boolean trims = metadata.bool(prefix + SPACES, true);
        boolean keepsEnd = metadata.bool(TRAILING, false);
        ArrayNode normalizers = JSON.arrayNode();
        if (metadata.has(prefix + CHARS)) {
            normalizers.addObject().put("type", "Precompiled").put(CHARS, Base64.getEncoder().encodeToString(
                    bytes(metadata.integers(prefix + CHARS))));
        }
        ObjectNode words = JSON.objectNode().put("type", "Metaspace").put("replacement", BLANK)
                .put("prepend_scheme", metadata.bool(prefix + PREFIX_SPACE, true) ? "always" : "never");
        if (trims && keepsEnd) {
            ObjectNode step = normalizers.addObject().put("type", "Replace");
            step.putObject("pattern").put("Regex", " {2,}");
            step.put("content", " ");
        }
        if (normalizers.isEmpty()) {
            json.putNull("normalizer");
        } else {
            json.putObject("normalizer").put("type", "Sequence").set("normalizers", normalizers);
        }
        json.set("decoder", words.deepCopy());
        if (trims && !keepsEnd) {
            json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers")
                    .add(JSON.objectNode().put("type", "WhitespaceSplit")).add(words);
        } else {
            json.set("pre_tokenizer", words.put("split", trims));
        }
    }

    private static byte[] bytes(long[] values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /**
     * Adds a tokenizer to a file, without its tokens.
     *
     * @throws ConfigurationException when llama.cpp prepares a text in another way
     */
    static void write(GgufWriter writer, JsonNode json, int[] types, String prefix) {
        JsonNode model = json.path("model");
        if (model.path("byte_fallback").asBoolean()) {
            throw unsupported("falls back to bytes");
        }
        float[] scores = new float[types.length];
        for (int id = 0; id < types.length; id++) {
            scores[id] = types[id] == NORMAL ? model.path("vocab").path(id).path(1).floatValue()
                    : types[id] == UNUSED ? -10000 : 0;
        }
        Optional<String> chars = Optional.empty();
        boolean joins = false;
        for (JsonNode step : steps(json.path("normalizer"), "normalizers")) {
            String type = step.path("type").asText();
            boolean replaces = type.equals("Replace") && step.path("pattern").path("Regex").asText().equals(" {2,}")
                    && List.of(" ", BLANK).contains(step.path("content").asText());
            if (type.equals("Precompiled")) {
                chars = Optional.of(step.path(CHARS).asText());
            } else if (!replaces) {
                throw unsupported("changes a text by " + step);
            }
            joins |= replaces;
        }
        List<JsonNode> cuts = steps(json.path("pre_tokenizer"), "pretokenizers");
        boolean splits = cuts.size() == 2 && cuts.get(0).path("type").asText().equals("WhitespaceSplit");
        JsonNode words = cuts.isEmpty() ? JSON.objectNode() : cuts.get(cuts.size() - 1);
        if (cuts.size() != (splits ? 2 : 1) || !words.path("type").asText().equals("Metaspace")
                || !words.path("replacement").asText(BLANK).equals(BLANK)) {
            throw unsupported("cuts a text by " + json.path("pre_tokenizer"));
        }
        writer.string(prefix + "model", "t5").string(prefix + "pre", "default").float32s(prefix + "scores", scores)
                .bool(prefix + PREFIX_SPACE, !words.path("prepend_scheme").asText("always").equals("never"))
                .bool(prefix + SPACES, splits || joins).uint32(prefix + "unknown_token_id",
                        model.path("unk_id").asInt());
        if (joins && !splits) {
            writer.bool(TRAILING, true);
        }
        chars.ifPresent(table -> writer.bytes(prefix + CHARS, Base64.getDecoder().decode(table)));
    }

    private static List<JsonNode> steps(JsonNode node, String inner) {
        List<JsonNode> steps = new ArrayList<>();
        if (node.path("type").asText().equals("Sequence")) {
            node.path(inner).forEach(steps::add);
        } else if (node.isObject()) {
            steps.add(node);
        }
        return steps;
    }

    private static ConfigurationException unsupported(String what) {
        return new ConfigurationException("the tokenizer " + what + ", which llama.cpp's unigram tokenizer does not");
    }
}
