package io.peft4j.models.encoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** DistilBERT (<a href="https://arxiv.org/abs/1910.01108">1910.01108</a>): BERT with half of the layers. */
public final class DistilBertFamily extends EncoderFamily implements CheckpointForm {
    private static final String POSITIONS = "embeddings.position_embeddings";
    /** BERT's files of llama.cpp, which needs a table of types of tokens. */
    private static final GgufForm GGUF = GgufForm.of("bert")
            .key("embedding_length", "dim", GgufKey.Kind.COUNT).key("block_count", "n_layers", GgufKey.Kind.COUNT)
            .key("context_length", "max_position_embeddings", GgufKey.Kind.COUNT, "512")
            .key("feed_forward_length", "hidden_dim", GgufKey.Kind.COUNT)
            .key("attention.head_count", "n_heads", GgufKey.Kind.COUNT)
            .key("attention.layer_norm_epsilon", "layer_norm_eps", GgufKey.Kind.NUMBER, "1e-12")
            .blocks("transformer.layer").fixed("activation", "gelu")
            .whole("embeddings.word_embeddings", "token_embd").whole(POSITIONS, "position_embd")
            .whole("token_types", "token_types").whole("embeddings.LayerNorm", "token_embd_norm")
            .tensor("attention.q_lin", "attn_q").tensor("attention.k_lin", "attn_k").tensor("attention.v_lin", "attn_v")
            .tensor("attention.out_lin", "attn_output").tensor("sa_layer_norm", "attn_output_norm")
            .tensor("ffn.lin1", "ffn_up").tensor("ffn.lin2", "ffn_down")
            .tensor("output_layer_norm", "layer_output_norm")
            .withoutAdapters(POSITIONS).writtenOnly()
            .adding((writer, config) -> writer.bool("bert.attention.causal", false).uint32(BertFamily.GGUF_TYPES, 1));

    /** The family. */
    public DistilBertFamily() {
        super("distilbert");
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "position_embeddings", "q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2",
                "pre_classifier", "classifier", "qa_outputs");
    }

    /** Hugging Face PEFT has no default for the family; these are the attention's that others have. */
    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_lin", "v_lin");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GGUF);
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }

    /** One type of tokens, which adds nothing. */
    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        return tensor.name().equals(POSITIONS + ".weight") && !tensor.isVector() ? List.of(tensor, new ModelTensor(
                "token_types.weight", new long[] {1, tensor.columns()}, (row, target) -> Arrays.fill(target, 0)))
                : List.of(tensor);
    }

    @Override
    String prefix() {
        return "distilbert.";
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        int hidden = config.positive("dim");
        int vocabulary = config.positive("vocab_size");
        int rows = config.optionalPositive("max_position_embeddings").orElse(512);
        int heads = heads(config, "n_heads", hidden);
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("n_layers"); i++) {
            String path = "transformer.layer." + i;
            layers.add(new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(path + ".attention",
                    List.of("q_lin", "k_lin", "v_lin"), path + ".attention.out_lin", heads, hidden / heads, true,
                    Optional.empty(), 0),
                    new EncoderPlan.FeedForwardPlan(path + ".ffn.lin1",
                            path + ".ffn.lin2", config.positive("hidden_dim"), activation(config, "activation"), false,
                            true),
                    Optional.of(path + ".sa_layer_norm"), path + ".output_layer_norm", false));
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden, rows, paddingId(config, 0, vocabulary)),
                new EncoderPlan.Embeddings("embeddings.word_embeddings",
                        Optional.of(new EncoderPlan.Table("embeddings.position_embeddings", rows, 0)),
                        Optional.empty(), Optional.of("embeddings.LayerNorm"), hidden, Optional.empty()),
                layers, Optional.empty(),
                new EncoderPlan.Norm(1e-12f, true), config.probability("dropout", 0.1f));
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        return switch (task) {
            case SEQ_CLS -> new HeadPlan(HeadPlan.Rows.FIRST, List.of(new HeadPlan.Step("pre_classifier", true,
                    Activation.RELU, Optional.empty(), false)), "classifier",
                    config.probability("seq_classif_dropout", 0.2f), config.number("initializer_range", 0.02));
            case TOKEN_CLS -> plain(HeadPlan.Rows.ALL, "classifier", config.probability("dropout", 0.1f), config);
            default -> plain(HeadPlan.Rows.ALL, "qa_outputs", config.probability("qa_dropout", 0.1f), config);
        };
    }
}
