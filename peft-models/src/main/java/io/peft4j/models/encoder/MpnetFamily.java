package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * MPNet (<a href="https://arxiv.org/abs/2004.09297">2004.09297</a>): BERT without types of tokens, whose positions
 * begin behind the padding token's and whose scores have a bias by distance.
 */
public final class MpnetFamily extends EncoderFamily {
    private static final String BUCKETS = "relative_attention_num_buckets";
    /** As in Transformers, whatever the configuration says of buckets. */
    private static final int BUCKET_COUNT = 32;
    private static final EncoderPlan.Positions BIAS = new EncoderPlan.Relative("encoder.relative_attention_bias",
            BUCKET_COUNT, 128);
    private static final int PADDING = 1;

    /** The family. */
    public MpnetFamily() {
        super("mpnet");
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "q", "k", "v", "o", "dense", "classifier", "out_proj",
                "qa_outputs");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q", "v");
    }

    @Override
    String prefix() {
        return "mpnet.";
    }

    @Override
    Optional<String> pooler() {
        return Optional.of("pooler.dense");
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        if (config.optionalPositive(BUCKETS).orElse(BUCKET_COUNT) != BUCKET_COUNT) {
            throw config.unsupported(BUCKETS, config.positive(BUCKETS), String.valueOf(BUCKET_COUNT));
        }
        int hidden = config.positive("hidden_size");
        int rows = config.optionalPositive("max_position_embeddings").orElse(512);
        return new EncoderPlan(new EncoderPlan.Sizes(config.positive("vocab_size"), hidden, rows - PADDING - 1,
                OptionalInt.of(PADDING)),
                new EncoderPlan.Embeddings("embeddings.word_embeddings", Optional.of(new EncoderPlan.Table(
                        "embeddings.position_embeddings", rows, PADDING + 1)), Optional.empty(),
                        Optional.of("embeddings.LayerNorm"), hidden, Optional.empty()),
                IntStream.range(0, config.positive("num_hidden_layers"))
                        .mapToObj(i -> layer("encoder.layer." + i, config, hidden)).toList(),
                Optional.empty(), new EncoderPlan.Norm((float) config.number("layer_norm_eps", 1e-12), true),
                config.probability("hidden_dropout_prob", 0.1f));
    }

    private static EncoderPlan.LayerPlan layer(String path, ModelConfig config, int hidden) {
        int heads = heads(config, "num_attention_heads", hidden);
        String attention = path + ".attention.attn";
        return new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(attention, List.of("q", "k", "v"),
                attention + ".o", heads, hidden / heads, true, Optional.of(BIAS), 0),
                new EncoderPlan.FeedForwardPlan(path + ".intermediate.dense", path + ".output.dense",
                        config.positive("intermediate_size"), activation(config, "hidden_act"), false, true),
                Optional.of(path + ".attention.LayerNorm"), path + ".output.LayerNorm", false);
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        float dropout = config.probability("hidden_dropout_prob", 0.1f);
        return switch (task) {
            case SEQ_CLS -> BertFamily.twoLayers(config, Activation.TANH);
            case TOKEN_CLS -> plain(HeadPlan.Rows.ALL, "classifier", dropout, config);
            default -> plain(HeadPlan.Rows.ALL, "qa_outputs", 0, config);
        };
    }
}
