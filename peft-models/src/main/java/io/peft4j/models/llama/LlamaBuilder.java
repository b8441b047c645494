package io.peft4j.models.llama;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds a {@link LlamaNetwork} from a checkpoint; the paths of the places are the checkpoint's tensor names. */
final class LlamaBuilder {
    private final LlamaConfig config;
    private final WeightLoader weights;
    private final RotaryEmbedding rotary;
    private final List<Slot> slots = new ArrayList<>();
    private long parameters;

    LlamaBuilder(ModelConfig modelConfig, WeightLoader weights) {
        this.config = LlamaConfig.of(modelConfig);
        this.weights = weights;
        this.rotary = new RotaryEmbedding(modelConfig, config.headDim());
    }

    LlamaNetwork build(String name) {
        FrozenWeight table = matrix("model.embed_tokens.weight", config.vocabSize(), config.hiddenSize());
        Slot embedding = slot("model.embed_tokens", new Embedding(table, config.paddingId()));
        List<Slot> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(decoderLayer(i));
        }
        Slot norm = norm("model.norm");
        Slot head = slot("lm_head", new Linear(config.tieWordEmbeddings() ? table
                : matrix("lm_head.weight", config.vocabSize(), config.hiddenSize()), Optional.empty()));
        ModelDescription description = new ModelDescription(name, "llama", config.vocabSize(), config.hiddenSize(),
                config.layers(), config.maxPositions(), config.tieWordEmbeddings(), weights.activationType(),
                parameters);
        return new LlamaNetwork(description, config, embedding, layers, norm, head, slots, weights.takeOwnership());
    }

    /** The path of a decoder layer. */
    static String layerPath(int index) {
        return "model.layers." + index;
    }

    private Slot decoderLayer(int index) {
        String path = layerPath(index);
        int at = slots.size();
        LlamaDecoderLayer layer = new LlamaDecoderLayer(norm(path + ".input_layernorm"),
                attention(index, path + ".self_attn"), norm(path + ".post_attention_layernorm"), mlp(path + ".mlp"));
        return slotAt(at, path, layer);
    }

    private Slot attention(int index, String path) {
        int at = slots.size();
        int hidden = config.hiddenSize();
        int queries = config.attentionShape().queryColumns();
        int keys = config.attentionShape().keyColumns();
        boolean bias = config.attentionBias();
        LlamaAttention attention = new LlamaAttention(index, config.attentionShape(), rotary,
                linear(path + ".q_proj", queries, hidden, bias), linear(path + ".k_proj", keys, hidden, bias),
                linear(path + ".v_proj", keys, hidden, bias), linear(path + ".o_proj", hidden, queries, bias));
        return slotAt(at, path, attention);
    }

    private Slot mlp(String path) {
        int at = slots.size();
        int hidden = config.hiddenSize();
        int inner = config.intermediateSize();
        boolean bias = config.mlpBias();
        LlamaMlp mlp = new LlamaMlp(linear(path + ".gate_proj", inner, hidden, bias),
                linear(path + ".up_proj", inner, hidden, bias), linear(path + ".down_proj", hidden, inner, bias));
        return slotAt(at, path, mlp);
    }

    private Slot linear(String path, int out, int in, boolean bias) {
        parameters += (long) out * in;
        Linear linear = new Linear(weights.linear(path + ".weight", out, in),
                weights.vector(path + ".bias", out, bias));
        parameters += bias ? out : 0;
        return slot(path, linear);
    }

    private Slot norm(String path) {
        parameters += config.hiddenSize();
        return slot(path, new RmsNorm(weights.vector(path + ".weight", config.hiddenSize()), config.rmsNormEps()));
    }

    private FrozenWeight matrix(String name, int rows, int columns) {
        parameters += (long) rows * columns;
        return weights.matrix(name, rows, columns);
    }

    private Slot slot(String path, Layer layer) {
        return slotAt(slots.size(), path, layer);
    }

    /** A place that contains those from {@code index} on stands before them in the list. */
    private Slot slotAt(int index, String path, Layer layer) {
        Slot slot = new Slot(path, layer);
        slots.add(index, slot);
        return slot;
    }
}
