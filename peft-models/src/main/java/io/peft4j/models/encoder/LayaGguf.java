package io.peft4j.models.encoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufType;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.TaskPlan;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * {@link DecisionHead} in llama.cpp's files of ModernBERT: its layers stand behind the encoder's and are counted with
 * them, its scorer is {@code cls}, and the rows for kinds of questions are {@code token_types}.
 */
final class LayaGguf {
    private static final String PREFIX = "modern-bert.";
    private static final String TYPE = PREFIX + "decision.type";
    private static final String HEAD_LAYERS = PREFIX + "decision.block_count";
    private static final String LAYERS = PREFIX + "block_count";
    private static final String WIDTHS = PREFIX + "feed_forward_length";
    private static final float EPSILON = 1e-5f;
    /** The places of a layer of the head, and llama.cpp's names of them. */
    private static final Map<String, String> PLACES = Map.of("self_attn.in_proj", "attn_qkv", "self_attn.out_proj",
            "attn_output", "norm1", "attn_norm", "norm2", "ffn_norm", "linear1", "ffn_up", "linear2", "ffn_down");

    private LayaGguf() {
    }

    /** The names of the tensors of an encoder with a head, where a configuration has one. */
    static GgufForm complete(GgufForm form, ModelConfig config) {
        int head = config.optionalPositive(ModelConfig.HEAD_LAYERS).orElse(0);
        if (head == 0) {
            return form;
        }
        GgufForm named = ModernBertFamily.named(form, DecisionHead.ENCODER).whole("type_emb", "token_types")
                .whole("scorer.0", "cls.norm").whole("scorer.1", "cls").whole("scorer.3", "cls.output")
                .oneRow("scorer.3");
        int before = config.positive("num_hidden_layers");
        for (int i = 0; i < head; i++) {
            for (Map.Entry<String, String> place : PLACES.entrySet()) {
                named = named.whole("head.layers." + i + "." + place.getKey(),
                        "blk." + (before + i) + "." + place.getValue());
            }
        }
        return named;
    }

    /** Adds the widths of all layers, and what is said of a head. */
    static void write(GgufWriter writer, ModelConfig config) {
        int layers = config.positive("num_hidden_layers");
        int width = config.positive("intermediate_size");
        int head = config.optionalPositive(ModelConfig.HEAD_LAYERS).orElse(0);
        if (head == 0) {
            writer.uint32(WIDTHS, width);
            return;
        }
        int hidden = config.positive("hidden_size");
        difference(hidden, config.positive("num_attention_heads"), (float) config.number("norm_eps", EPSILON))
                .ifPresent(said -> {
                    throw new ConfigurationException(said + "; write a Hugging Face folder");
                });
        int[] widths = new int[layers + head];
        Arrays.fill(widths, 0, layers, width);
        Arrays.fill(widths, layers, widths.length, 4 * hidden);
        writer.uint32(LAYERS, widths.length).int32s(WIDTHS, widths).uint32(HEAD_LAYERS, head)
                .uint32("tokenizer.ggml.token_type_count", DecisionHead.KINDS).uint32(PREFIX + "pooling_type", 0);
    }

    /** What llama.cpp computes otherwise than Laya, as it has one number of heads and one epsilon for all layers. */
    private static Optional<String> difference(int hidden, long heads, float epsilon) {
        if (heads != DecisionHead.heads(hidden)) {
            return Optional.of("llama.cpp gives the layers of a decision head the " + heads
                    + " attention heads of the encoder, and Laya's have " + DecisionHead.heads(hidden));
        }
        return epsilon == EPSILON ? Optional.empty() : Optional.of("llama.cpp gives the norms of a decision head the "
                + "epsilon of the encoder, " + epsilon + ", and Laya's have " + EPSILON);
    }

    /**
     * Adds what a file says of its layers to a configuration with their sum.
     *
     * @throws FileFormatException when a head is not Laya's, or a part of it is missing
     */
    static void read(GgufFile file, ObjectNode config) {
        GgufMetadata metadata = file.metadata();
        long all = config.get("num_hidden_layers").longValue();
        long hidden = config.get("hidden_size").longValue();
        boolean decides = metadata.has(TYPE) || metadata.has(HEAD_LAYERS);
        long head = decides ? metadata.integer(HEAD_LAYERS) : 0;
        if (decides && (head < 1 || head >= all)) {
            throw new FileFormatException(file.path(), HEAD_LAYERS + " is " + head + " of " + all + " layers in all; "
                    + "Laya's head has at least one, behind those of the encoder");
        }
        config.put("intermediate_size", width(file, all, head, 4 * hidden));
        if (!decides) {
            return;
        }
        if (!metadata.string(TYPE).equals("laya")) {
            throw new FileFormatException(file.path(), TYPE + " is \"" + metadata.string(TYPE) + "\"; supported is "
                    + "\"laya\"");
        }
        difference((int) hidden, config.get("num_attention_heads").longValue(),
                (float) metadata.floating(PREFIX + "attention.layer_norm_epsilon")).ifPresent(said -> {
                    throw new FileFormatException(file.path(), said);
                });
        if (metadata.integer(PREFIX + "nextn_predict_layers", 0) != 0) {
            throw new FileFormatException(file.path(),
                    PREFIX + "nextn_predict_layers is for models that predict tokens");
        }
        requireTensors(file, all - head, head, hidden);
        config.put("num_hidden_layers", all - head).put(ModelConfig.HEAD_LAYERS, head);
        TaskPlan.write(Task.DECISION, config);
    }

    /** The width of the encoder's layers: one number, or one for each layer. */
    private static long width(GgufFile file, long all, long head, long headWidth) {
        if (file.metadata().type(WIDTHS) != GgufType.ARRAY) {
            long width = file.metadata().integer(WIDTHS);
            if (head > 0 && width != headWidth) {
                throw wrong(file, String.valueOf(width), headWidth);
            }
            return width;
        }
        long[] widths = file.metadata().integers(WIDTHS);
        boolean fits = widths.length == all;
        for (int i = 0; fits && i < widths.length; i++) {
            fits = widths[i] == (i < all - head ? widths[0] : headWidth);
        }
        if (!fits) {
            throw wrong(file, widths.length + " numbers", headWidth);
        }
        return widths[0];
    }

    private static FileFormatException wrong(GgufFile file, String found, long headWidth) {
        return new FileFormatException(file.path(), WIDTHS + " is " + found + "; expected one number for each layer, "
                + "the same for the encoder's and " + headWidth + " for a decision head's");
    }

    private static void requireTensors(GgufFile file, long before, long head, long hidden) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("token_types.weight", new long[] {DecisionHead.KINDS, hidden});
        shapes.put("cls.norm.weight", new long[] {hidden});
        shapes.put("cls.norm.bias", new long[] {hidden});
        shapes.put("cls.weight", new long[] {hidden, hidden});
        shapes.put("cls.bias", new long[] {hidden});
        shapes.put("cls.output.weight", new long[] {1, hidden});
        shapes.put("cls.output.bias", new long[] {1});
        shapes.forEach((name, shape) -> require(file, name, shape));
        for (long layer = before; layer < before + head; layer++) {
            for (String place : PLACES.values()) {
                long out = place.equals("attn_qkv") ? 3 * hidden : place.equals("ffn_up") ? 4 * hidden : hidden;
                String name = "blk." + layer + "." + place;
                require(file, name + ".weight", place.endsWith("norm") ? new long[] {hidden}
                        : new long[] {out, place.equals("ffn_down") ? 4 * hidden : hidden});
                require(file, name + ".bias", new long[] {out});
            }
        }
    }

    private static void require(GgufFile file, String name, long... shape) {
        if (!file.names().contains(name)) {
            throw new FileFormatException(file.path(), "has no tensor '" + name + "', a part of Laya's decision head");
        }
        long[] found = file.shape(name);
        // Programs that quantize a file store a matrix of one row as a vector.
        boolean isRow = shape.length == 2 && shape[0] == 1 && Arrays.equals(found, new long[] {shape[1]});
        if (!isRow && !Arrays.equals(found, shape)) {
            throw new FileFormatException(file.path(), "tensor '" + name + "' has the shape " + Arrays.toString(found)
                    + "; expected " + Arrays.toString(shape));
        }
    }
}
