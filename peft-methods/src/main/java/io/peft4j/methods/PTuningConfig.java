package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;

/**
 * P-tuning (<a href="https://arxiv.org/abs/2103.10385">2103.10385</a>): as prompt tuning, but while they are trained
 * the virtual tokens' embeddings are computed from a table [tokens, H] by a small network. With E its width, the
 * network is {@code H -> E -> E -> H} with ReLU between ({@link Encoder#MLP}), or a bidirectional LSTM of width E and
 * {@code 2E -> 2E -> H} ({@link Encoder#LSTM}).
 *
 * <p>As in Hugging Face PEFT the adapter's file holds the computed embeddings alone. The network is stored beside it
 * for a training that is resumed; where it is missing, the embeddings are trained as in prompt tuning.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param encoder {@code encoder_reparameterization_type}: the network; default {@link Encoder#MLP}
 * @param hiddenSize {@code encoder_hidden_size}: E; 0, the default, is H
 * @param layers {@code encoder_num_layers}: layers of the LSTM; the other network has always two; default 2
 * @param dropout {@code encoder_dropout}: dropout between the layers of the LSTM; default 0
 */
@PeftType(value = "P_TUNING", name = "p-tuning",
        description = "a soft prompt, reparameterized by a small network",
        paper = "https://arxiv.org/abs/2103.10385")
public record PTuningConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "encoder_reparameterization_type", fallback = "\"MLP\"") Encoder encoder,
        @Key(value = "encoder_hidden_size", zeroIsNull = true) int hiddenSize,
        @Key(value = "encoder_num_layers", fallback = "2") int layers, @Key("encoder_dropout") double dropout)
        implements
            PeftConfig {
    /** The network that computes the embeddings. */
    public enum Encoder {
        /** Three linear layers. */
        MLP,
        /** A bidirectional LSTM and two linear layers. */
        LSTM
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public PTuningConfig {
        Checks.atLeast(0, "encoder_hidden_size", hiddenSize);
        Checks.require(layers > 0 && layers <= 64,
                "encoder_num_layers is " + layers + "; it must be from 1 to 64");
        Checks.probability("encoder_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PTuningConfigBuilder builder() {
        return ConfigBuilder.of(PTuningConfigBuilder.class, PTuningConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PTuningConfigBuilder toBuilder() {
        return ConfigBuilder.from(PTuningConfigBuilder.class, this);
    }
}
