package io.peft4j.models.encoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * DeBERTa v2 and v3 (<a href="https://arxiv.org/abs/2006.03654">2006.03654</a>, <a
 * href="https://arxiv.org/abs/2111.09543">2111.09543</a>): attention compares contents with distances.
 */
public final class DebertaFamily extends EncoderFamily {
    /** The longest sequence of a model that knows distances alone: as long as the tokenizer lets it be. */
    private static final int UNLIMITED = 1 << 20;

    /** The family. */
    public DebertaFamily() {
        super("deberta-v2");
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "token_type_embeddings", "rel_embeddings",
                "query_proj", "key_proj", "value_proj", "pos_key_proj", "pos_query_proj", "dense", "classifier",
                "qa_outputs");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("query_proj", "value_proj");
    }

    @Override
    String prefix() {
        return "deberta.";
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        requireKnownParts(config);
        int hidden = config.positive("hidden_size");
        int vocabulary = config.positive("vocab_size");
        int positions = config.optionalPositive("max_position_embeddings").orElse(512);
        boolean absolute = config.flag("position_biased_input", true);
        int types = config.optionalInteger("type_vocab_size").orElse(0);
        EncoderPlan.Disentangled distances = distances(config, positions);
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            layers.add(BertFamily.layer("encoder.layer." + i, config, hidden,
                    List.of("query_proj", "key_proj", "value_proj"), Optional.of(distances)));
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden, absolute ? positions : UNLIMITED,
                paddingId(config, 0, vocabulary)),
                new EncoderPlan.Embeddings("embeddings.word_embeddings", absolute
                        ? Optional.of(new EncoderPlan.Table("embeddings.position_embeddings", positions, 0))
                        : Optional.empty(),
                        types > 0 ? Optional.of(new EncoderPlan.Table(
                                "embeddings.token_type_embeddings", types, 0)) : Optional.empty(),
                        Optional.of("embeddings.LayerNorm"), hidden, Optional.empty()),
                layers, Optional.empty(),
                new EncoderPlan.Norm((float) config.number("layer_norm_eps", 1e-7), true),
                config.probability("hidden_dropout_prob", 0.1f));
    }

    private static EncoderPlan.Disentangled distances(ModelConfig config, int positions) {
        int given = config.optionalInteger("max_relative_positions").orElse(-1);
        int farthest = given < 1 ? positions : given;
        int buckets = config.optionalInteger("position_buckets").orElse(-1);
        List<String> kinds = kinds(config);
        String norm = config.text("norm_rel_ebd").orElse("none").toLowerCase(Locale.ROOT).strip();
        if (!List.of("none", "layer_norm").contains(norm)) {
            throw config.unsupported("norm_rel_ebd", norm, "none or layer_norm");
        }
        boolean shared = config.flag("share_att_key", false);
        boolean logarithmic = buckets > 0;
        if (logarithmic && (buckets < 4 || farthest - 1 <= buckets / 2)) {
            throw new FileFormatException(config.file(), "position_buckets " + buckets + " must be 4 or more, and half "
                    + "of it less than max_relative_positions (" + farthest + ") - 1");
        }
        return new EncoderPlan.Disentangled("encoder.rel_embeddings", norm.equals("none") ? Optional.empty()
                : Optional.of("encoder.LayerNorm"),
                new DistanceBuckets(logarithmic ? buckets : farthest, logarithmic,
                        farthest),
                projection(kinds, "c2p", shared ? "key_proj" : "pos_key_proj"),
                projection(kinds, "p2c", shared ? "query_proj" : "pos_query_proj"));
    }

    /** What is compared with distances: {@code c2p}, contents of queries, and {@code p2c}, contents of keys. */
    private static List<String> kinds(ModelConfig config) {
        List<String> given = config.values().path("pos_att_type").isTextual()
                ? List.of(config.text("pos_att_type").orElseThrow().split("\\|"))
                : config.texts("pos_att_type").orElse(List.of());
        List<String> kinds = given.stream().map(kind -> kind.toLowerCase(Locale.ROOT).strip()).toList();
        kinds.stream().filter(kind -> !List.of("c2p", "p2c").contains(kind)).findFirst().ifPresent(kind -> {
            throw config.unsupported("pos_att_type", kind, "c2p and p2c");
        });
        return kinds;
    }

    private static Optional<String> projection(List<String> kinds, String kind, String name) {
        return kinds.contains(kind) ? Optional.of(name) : Optional.empty();
    }

    private static void requireKnownParts(ModelConfig config) {
        if (!config.flag("relative_attention", false)) {
            throw config.unsupported("relative_attention", false, "true");
        }
        int hidden = config.positive("hidden_size");
        requireValue(config, "conv_kernel_size", 0);
        requireValue(config, "embedding_size", hidden);
        requireValue(config, "pooler_hidden_size", hidden);
        requireValue(config, "attention_head_size", hidden / heads(config, "num_attention_heads", hidden));
        if (config.number("pooler_dropout", 0) != 0) {
            throw config.unsupported("pooler_dropout", config.number("pooler_dropout", 0), "0");
        }
    }

    private static void requireValue(ModelConfig config, String key, int only) {
        int value = config.optionalInteger(key).orElse(only);
        if (value != only) {
            throw config.unsupported(key, value, String.valueOf(only));
        }
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        float dropout = config.probability("hidden_dropout_prob", 0.1f);
        return switch (task) {
            case SEQ_CLS -> new HeadPlan(HeadPlan.Rows.FIRST, List.of(new HeadPlan.Step("pooler.dense", true,
                    activation(config, "pooler_hidden_act"), Optional.empty(), false)), "classifier",
                    config.probability("cls_dropout", dropout), config.number("initializer_range", 0.02));
            case TOKEN_CLS -> plain(HeadPlan.Rows.ALL, "classifier", dropout, config);
            default -> plain(HeadPlan.Rows.ALL, "qa_outputs", 0, config);
        };
    }
}
