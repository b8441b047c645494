package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.OptionalInt;

/**
 * ShadowPEFT: a small decoder of the base's architecture, trained as a whole, reads the tokens and gives each a state
 * s, which decoder layers of the base read and carry on: a layer runs on {@code x + a (x - s) D^T U^T}, and from its
 * result y comes {@code s' = (1 - g) * s + g * t}, {@code t = T2 gelu(T1 y)}, {@code g = sigmoid(G2 gelu(G1 y))}, both
 * with biases. The small decoder's hidden states are what the output layer predicts the tokens from once more:
 * {@code auxiliary_loss_weight} times that loss is added in training.
 *
 * <p>Beside the small decoder {@code 2 r H} parameters for each layer, and {@code 2 (2 u H + u + H)} for each but the
 * last, whose s' nothing reads: its tensors are stored as they begin. Hugging Face PEFT counts them as trained.
 *
 * <p>In answers the small decoder has keys and values of its own.
 *
 * @param common what every configuration holds
 * @param placement the decoder layers, one after the other, and what is trained beside them; default all
 * @param rank {@code r}: the rank of U D; default 8
 * @param strength {@code shadow_alpha}: a; default 0.1
 * @param dropout {@code shadow_dropout}: probability that an element of x - s is dropped in training; default 0.2
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 * @param layers {@code shadow_num_hidden_layers}: layers of the small decoder; default 1
 * @param hiddenSize {@code shadow_hidden_size}: its width, with an embedding of its own if it is another than the
 *     base's; default that one
 * @param intermediateSize {@code shadow_intermediate_size}: inner features of its feed-forward networks; default as in
 *     the base
 * @param sharesEmbedding {@code share_embeddings}: whether it reads the base's embedding where the widths are equal;
 *     default true
 * @param updateSize {@code update_hidden_size}: u; default the rank
 * @param auxiliaryWeight {@code auxiliary_loss_weight}; default 0.05
 */
@PeftType(value = "SHADOW", name = "shadow",
        description = "a small parallel decoder, whose hidden states decoder layers read",
        paper = "https://huggingface.co/docs/peft/package_reference/shadow")
@UnusedKey(value = "shadow_model", fallback = "\"mirror\"", feature = "a decoder of another checkpoint")
@UnusedKey(value = "shadow_num_attention_heads", feature = "another number of heads than the base's")
public record ShadowConfig(CommonConfig common, @Group(without = "bias") Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "shadow_alpha", fallback = "0.1") double strength,
        @Key(value = "shadow_dropout", fallback = "0.2") double dropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("shadow_num_hidden_layers") OptionalInt layers,
        @Key("shadow_hidden_size") OptionalInt hiddenSize,
        @Key("shadow_intermediate_size") OptionalInt intermediateSize,
        @Key(value = "share_embeddings", fallback = "true") boolean sharesEmbedding,
        @Key("update_hidden_size") OptionalInt updateSize,
        @Key(value = "auxiliary_loss_weight", fallback = "0.05") double auxiliaryWeight) implements PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public ShadowConfig {
        Checks.rank("the rank (r)", rank);
        Checks.finite("shadow_alpha", strength);
        Checks.probability("shadow_dropout", dropout);
        Checks.rank("shadow_num_hidden_layers", layers.orElse(1));
        Checks.rank("shadow_hidden_size", hiddenSize.orElse(1));
        Checks.rank("shadow_intermediate_size", intermediateSize.orElse(1));
        Checks.rank("update_hidden_size", updateSize.orElse(1));
        Checks.finite("auxiliary_loss_weight", auxiliaryWeight);
        Checks.require(auxiliaryWeight >= 0, "auxiliary_loss_weight is " + auxiliaryWeight + "; it must be 0 or more");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static ShadowConfigBuilder builder() {
        return ConfigBuilder.of(ShadowConfigBuilder.class, ShadowConfig.class);
    }

    /** A builder with the values of this configuration. */
    public ShadowConfigBuilder toBuilder() {
        return ConfigBuilder.from(ShadowConfigBuilder.class, this);
    }
}
