package io.peft4j.models.seq2seq.internal;

import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.internal.CrossAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds a {@link T5Network} from a checkpoint; the paths of the places are the checkpoint's tensor names. */
final class T5Builder {
    private final T5Config config;
    private final WeightLoader weights;
    private final List<Slot> slots = new ArrayList<>();
    private final List<AutoCloseable> biases = new ArrayList<>();
    private long parameters;

    T5Builder(T5Config config, WeightLoader weights) {
        this.config = config;
        this.weights = weights;
    }

    T5Network build(String name, String modelType) {
        FrozenWeight table = matrix("shared.weight", config.vocabulary(), config.hidden());
        Slot embedding = slot("shared", new Embedding(table, config.paddingId()));
        RelativeBias encoderBias = bias("encoder", true);
        RelativeBias decoderBias = bias("decoder", false);
        List<T5Block> encoder = blocks("encoder", config.layers(), encoderBias, false);
        Slot encoderNorm = norm("encoder.final_layer_norm");
        List<T5Block> decoder = blocks("decoder", config.decoderLayers(), decoderBias, true);
        Slot decoderNorm = norm("decoder.final_layer_norm");
        boolean tied = !weights.has("lm_head.weight");
        Slot head = slot("lm_head", new Linear(tied ? table
                : matrix("lm_head.weight", config.vocabulary(), config.hidden()), Optional.empty()));
        ModelDescription description = new ModelDescription(name, modelType, config.vocabulary(), config.hidden(),
                config.decoderLayers(), T5Config.LONGEST, tied, weights.activationType(), parameters);
        List<AutoCloseable> owned = new ArrayList<>(biases);
        owned.addAll(weights.takeOwnership());
        return new T5Network(description, config, new T5Network.Parts(embedding, encoder, encoderNorm, decoder,
                decoderNorm, head), slots, owned);
    }

    private RelativeBias bias(String stack, boolean bidirectional) {
        String path = stack + ".block.0.layer.0.SelfAttention.relative_attention_bias";
        int heads = config.shape().heads();
        parameters += (long) config.buckets() * heads;
        RelativeBias bias = new RelativeBias(weights.floats(path + ".weight", config.buckets(), heads),
                config.maxDistance(), bidirectional);
        biases.add(bias);
        slot(path, bias);
        return bias;
    }

    private List<T5Block> blocks(String stack, int count, RelativeBias bias, boolean decodes) {
        List<T5Block> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String path = stack + ".block." + i + ".layer.";
            T5Attention self = attention(path + "0.SelfAttention", i, bias.extras());
            Slot selfNorm = norm(path + "0.layer_norm");
            Optional<T5Block.Cross> cross = Optional.empty();
            if (decodes) {
                T5Attention own = attention(path + "1.EncDecAttention", config.decoderLayers() + i,
                        AttentionExtras.NONE);
                cross = Optional.of(new T5Block.Cross(norm(path + "1.layer_norm"), new CrossAttention(own.index(),
                        own.shape(), own.query(), own.key(), own.value(), own.output())));
            }
            String last = path + (decodes ? 2 : 1);
            T5Block.FeedForward feedForward = feedForward(last + ".DenseReluDense.");
            blocks.add(new T5Block(selfNorm, self, cross, norm(last + ".layer_norm"), feedForward, config.dropout()));
        }
        return blocks;
    }

    private T5Attention attention(String path, int index, AttentionExtras bias) {
        int columns = config.shape().queryColumns();
        return new T5Attention(index, config.shape(), linear(path + ".q", columns, config.hidden()),
                linear(path + ".k", columns, config.hidden()), linear(path + ".v", columns, config.hidden()),
                linear(path + ".o", config.hidden(), columns), bias);
    }

    private T5Block.FeedForward feedForward(String path) {
        int hidden = config.hidden();
        if (!config.gated()) {
            return new T5Block.FeedForward(linear(path + "wi", T5Gguf.widens(weights, path + "wi"), config.width(),
                    hidden), Optional.empty(),
                    linear(path + "wo", hidden, config.width()), config.activation());
        }
        return new T5Block.FeedForward(linear(path + "wi_0", config.width(), hidden),
                Optional.of(linear(path + "wi_1", config.width(), hidden)),
                linear(path + "wo", hidden, config.width()), config.activation());
    }

    private Slot linear(String path, int out, int in) {
        return linear(path, path, out, in);
    }

    private Slot linear(String path, String stored, int out, int in) {
        parameters += (long) out * in;
        return slot(path, new Linear(weights.linear(stored + ".weight", out, in), Optional.empty()));
    }

    private Slot norm(String path) {
        parameters += config.hidden();
        return slot(path, new RmsNorm(weights.vector(path + ".weight", config.hidden()), config.epsilon()));
    }

    private FrozenWeight matrix(String name, int rows, int columns) {
        parameters += (long) rows * columns;
        return weights.matrix(name, rows, columns);
    }

    private Slot slot(String path, Layer layer) {
        Slot slot = new Slot(path, layer);
        slots.add(slot);
        return slot;
    }
}
