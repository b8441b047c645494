package io.peft4j.models.seq2seq;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.WeightLoader;
import java.util.List;

/** What the GGUF files of T5 look like, in which llama.cpp also has mT5. */
final class T5Gguf {
    private static final String BUCKETS = "SelfAttention.relative_attention_bias";
    private static final String GATE = "enc.blk.0.ffn_gate.weight";
    private static final String KIND = "feed_forward_proj";
    private static final String START = "decoder_start_token_id";
    private static final String PLAIN = "relu";
    private static final String GATED = "gated-gelu";
    private static final String OUTPUT = "lm_head.weight";
    private static final String WIDENS = ".wi.weight";
    private static final String GATED_WIDENS = ".wi_1.weight";
    /** llama.cpp keeps no key for it. */
    private static final int DISTANCE = 128;
    static final GgufForm FORM = GgufForm.of("t5").separateOutput()
            .key("context_length", "n_positions", GgufKey.Kind.COUNT, "512")
            .key("embedding_length", "d_model", GgufKey.Kind.COUNT)
            .key("block_count", "num_layers", GgufKey.Kind.COUNT)
            .key("decoder_block_count", "num_decoder_layers", GgufKey.Kind.OPTIONAL_COUNT)
            .key("feed_forward_length", "d_ff", GgufKey.Kind.COUNT)
            .key("attention.head_count", "num_heads", GgufKey.Kind.COUNT)
            .key("attention.key_length", "d_kv", GgufKey.Kind.COUNT)
            .key("attention.value_length", "d_kv", GgufKey.Kind.COUNT)
            .key("attention.layer_norm_epsilon", "layer_norm_epsilon", GgufKey.Kind.OPTIONAL_NUMBER)
            .key("attention.layer_norm_rms_epsilon", "layer_norm_epsilon", GgufKey.Kind.NUMBER, "1e-6")
            .key("attention.relative_buckets_count", "relative_attention_num_buckets", GgufKey.Kind.COUNT, "32")
            .fixed("relative_attention_max_distance", DISTANCE)
            .whole("shared", "token_embd").whole("lm_head", "output")
            .whole("encoder.final_layer_norm", "enc.output_norm").whole("decoder.final_layer_norm", "dec.output_norm")
            .whole("encoder.block.0.layer.0." + BUCKETS, "enc.blk.0.attn_rel_b")
            .whole("decoder.block.0.layer.0." + BUCKETS, "dec.blk.0.attn_rel_b")
            .blocks("encoder.block", "enc.blk")
            .tensor("layer.0.layer_norm", "attn_norm").tensor("layer.0.SelfAttention.q", "attn_q")
            .tensor("layer.0.SelfAttention.k", "attn_k").tensor("layer.0.SelfAttention.v", "attn_v")
            .tensor("layer.0.SelfAttention.o", "attn_o").tensor("layer.1.layer_norm", "ffn_norm")
            .tensor("layer.1.DenseReluDense.wi_0", "ffn_gate").tensor("layer.1.DenseReluDense.wo", "ffn_down")
            .tensor("layer.1.DenseReluDense.wi_1", "ffn_up")
            .blocks("decoder.block", "dec.blk")
            .tensor("layer.0.layer_norm", "attn_norm").tensor("layer.0.SelfAttention.q", "attn_q")
            .tensor("layer.0.SelfAttention.k", "attn_k").tensor("layer.0.SelfAttention.v", "attn_v")
            .tensor("layer.0.SelfAttention.o", "attn_o").tensor("layer.1.layer_norm", "cross_attn_norm")
            .tensor("layer.1.EncDecAttention.q", "cross_attn_q").tensor("layer.1.EncDecAttention.k", "cross_attn_k")
            .tensor("layer.1.EncDecAttention.v", "cross_attn_v").tensor("layer.1.EncDecAttention.o", "cross_attn_o")
            .tensor("layer.2.layer_norm", "ffn_norm").tensor("layer.2.DenseReluDense.wi_0", "ffn_gate")
            .tensor("layer.2.DenseReluDense.wo", "ffn_down").tensor("layer.2.DenseReluDense.wi_1", "ffn_up")
            .reading((file, config) -> config.put(KIND, file.names().contains(GATE) ? GATED : PLAIN)
                    .put(START, file.metadata().integer("t5." + START, 0)))
            .adding((writer, config) -> writer.uint32("t5." + START, config.optionalInteger(START)
                    .orElseGet(() -> config.optionalInteger("pad_token_id").orElse(0))))
            .writing(T5Gguf::requireKind);

    private T5Gguf() {
    }

    private static void requireKind(ModelConfig config) {
        String kind = config.text(KIND).orElse(PLAIN);
        if (!kind.equals(PLAIN) && !kind.equals(GATED)) {
            throw new ConfigurationException("the model's " + KIND + " is " + kind + ", and llama.cpp computes T5 with "
                    + PLAIN + " and " + GATED + " only");
        }
    }

    /** The tensors of a file for one of the network. */
    static List<ModelTensor> tensors(ModelTensor tensor, float outputFactor) {
        if (tensor.name().equals(OUTPUT)) {
            return List.of(output(tensor, outputFactor));
        }
        return List.of(tensor.name().endsWith(WIDENS) ? new ModelTensor(tensor.name().replace(WIDENS, GATED_WIDENS),
                tensor.shape(), tensor.rows()) : tensor);
    }

    /** The output layer times the factor that T5 applies before a tied one; llama.cpp applies none. */
    static ModelTensor output(ModelTensor head, float factor) {
        return new ModelTensor(OUTPUT, head.shape(), (row, target) -> {
            head.rows().readRow(row, target);
            for (int i = 0; i < head.columns() && factor != 1; i++) {
                target[i] *= factor;
            }
        });
    }

    /** A checkpoint's name of a tensor: llama.cpp has one for the first layer of both kinds of feed-forward network. */
    static String stored(WeightLoader weights, String name) {
        return weights.has(name) ? name : name.replace(WIDENS, GATED_WIDENS);
    }
}
