package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * BERT (<a href="https://arxiv.org/abs/1810.04805">1810.04805</a>), MiniLM, and other models of {@code model_type}
 * {@code bert}; those that differ from it extend this class.
 */
public class BertFamily extends EncoderFamily implements CheckpointForm {
    /** llama.cpp's key for the rows of the table of types of tokens. */
    static final String GGUF_TYPES = "tokenizer.ggml.token_type_count";
    private static final String POSITIONS = "embeddings.position_embeddings";
    private static final String TYPES = "embeddings.token_type_embeddings";
    /** llama.cpp's files, also of RoBERTa, whose positions it stores without the padding's. */
    private static final GgufForm GGUF = GgufForm.of("bert")
            .key("attention.layer_norm_epsilon", "layer_norm_eps", GgufKey.Kind.NUMBER, "1e-12")
            .blocks("encoder.layer").fixed("hidden_act", "gelu")
            .whole("embeddings.word_embeddings", "token_embd").whole(POSITIONS, "position_embd")
            .whole(TYPES, "token_types").whole("embeddings.LayerNorm", "token_embd_norm")
            .tensor("attention.self.query", "attn_q").tensor("attention.self.key", "attn_k")
            .tensor("attention.self.value", "attn_v").tensor("attention.output.dense", "attn_output")
            .tensor("attention.output.LayerNorm", "attn_output_norm").tensor("intermediate.dense", "ffn_up")
            .tensor("output.dense", "ffn_down").tensor("output.LayerNorm", "layer_output_norm")
            .withoutAdapters(POSITIONS, TYPES)
            .reading((file, config) -> config.put("type_vocab_size", file.metadata().integer(GGUF_TYPES, 2)))
            .adding((writer, config) -> writer.bool("bert.attention.causal", false)
                    .uint32(GGUF_TYPES, config.optionalPositive("type_vocab_size").orElse(2)));

    /** BERT itself. */
    public BertFamily() {
        this("bert");
    }

    /** A relative of BERT. */
    protected BertFamily(String modelType) {
        super(modelType);
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "token_type_embeddings", "query", "key", "value",
                "dense", "classifier", "qa_outputs");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("query", "value");
    }

    @Override
    String prefix() {
        return "bert.";
    }

    @Override
    Optional<String> pooler() {
        return Optional.of("pooler.dense");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GGUF);
    }

    /** What a relative's files look like, which {@link BertFamily} reads. */
    static GgufForm relativesGguf() {
        return GGUF.writtenOnly();
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }

    /** llama.cpp has no pooler, and no rows before that of the first position. */
    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        if (pooler().filter(path -> tensor.name().startsWith(path + ".")).isPresent()) {
            return List.of();
        }
        int offset = positionOffset(config);
        return List.of(offset > 0 && tensor.name().equals(POSITIONS + ".weight") && !tensor.isVector()
                ? new ModelTensor(tensor.name(), new long[] {tensor.shape()[0] - offset, tensor.columns()},
                        (row, target) -> tensor.rows().readRow(row + offset, target))
                : tensor);
    }

    /** The row of the first position in the table of positions. */
    int positionOffset(ModelConfig config) {
        return 0;
    }

    /** The width of the embeddings. */
    int width(ModelConfig config) {
        return config.positive("hidden_size");
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        requireAbsolutePositions(config);
        int hidden = config.positive("hidden_size");
        int vocabulary = config.positive("vocab_size");
        int rows = config.optionalPositive("max_position_embeddings").orElse(512);
        int offset = positionOffset(config);
        int width = width(config);
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            layers.add(layer("encoder.layer." + i, config, hidden, List.of("query", "key", "value"),
                    Optional.empty()));
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden, rows - offset,
                paddingId(config, 0, vocabulary)),
                new EncoderPlan.Embeddings("embeddings.word_embeddings",
                        Optional.of(new EncoderPlan.Table("embeddings.position_embeddings", rows, offset)),
                        Optional.of(new EncoderPlan.Table("embeddings.token_type_embeddings",
                                config.optionalPositive("type_vocab_size").orElse(2), 0)),
                        Optional.of("embeddings.LayerNorm"), width,
                        width == hidden ? Optional.empty() : Optional.of("embeddings_project")),
                layers, Optional.empty(),
                new EncoderPlan.Norm((float) config.number("layer_norm_eps", 1e-12), true),
                config.probability("hidden_dropout_prob", 0.1f));
    }

    /** A layer with norms after its parts, which states projections and, where embeddings have none, positions. */
    static EncoderPlan.LayerPlan layer(String path, ModelConfig config, int hidden, List<String> projections,
            Optional<EncoderPlan.Positions> positions) {
        int heads = heads(config, "num_attention_heads", hidden);
        return new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(path + ".attention.self",
                projections, path + ".attention.output.dense", heads, hidden / heads, true, positions, 0),
                new EncoderPlan.FeedForwardPlan(path + ".intermediate.dense", path + ".output.dense",
                        config.positive("intermediate_size"), activation(config, "hidden_act"), false, true),
                Optional.of(path + ".attention.output.LayerNorm"), path + ".output.LayerNorm", false);
    }

    private static void requireAbsolutePositions(ModelConfig config) {
        String kind = config.text("position_embedding_type").orElse("absolute");
        if (!kind.equals("absolute")) {
            throw config.unsupported("position_embedding_type", kind, "absolute");
        }
        for (String key : List.of("is_decoder", "add_cross_attention")) {
            if (config.flag(key, false)) {
                throw config.unsupported(key, true, "false");
            }
        }
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        return switch (task) {
            case SEQ_CLS -> new HeadPlan(HeadPlan.Rows.FIRST, List.of(new HeadPlan.Step("bert.pooler.dense", true,
                    Activation.TANH, Optional.empty(), false)), "classifier", classifierDropout(config),
                    config.number("initializer_range", 0.02));
            case TOKEN_CLS -> plain(HeadPlan.Rows.ALL, "classifier", classifierDropout(config), config);
            default -> plain(HeadPlan.Rows.ALL, "qa_outputs", 0, config);
        };
    }

    /** A head with a layer of its own before the last one, both below {@code classifier}. */
    static HeadPlan twoLayers(ModelConfig config, Activation activation) {
        return new HeadPlan(HeadPlan.Rows.FIRST, List.of(new HeadPlan.Step("classifier.dense", true, activation,
                Optional.empty(), true)), "classifier.out_proj", classifierDropout(config),
                config.number("initializer_range", 0.02));
    }
}
