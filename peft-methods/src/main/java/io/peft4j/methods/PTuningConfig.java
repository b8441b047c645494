package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import java.util.Arrays;
import java.util.Objects;

/**
 * P-tuning (<a href="https://arxiv.org/abs/2103.10385">2103.10385</a>): as prompt tuning, but while they are trained
 * the virtual tokens' embeddings are computed from a table [tokens, H] by a small network. With E its width, the
 * network is {@code H -> E -> E -> H} with ReLU between ({@link Encoder#MLP}), or a bidirectional LSTM of width E and
 * {@code 2E -> 2E -> H} ({@link Encoder#LSTM}).
 *
 * <p>As in Hugging Face PEFT the adapter's file holds the computed embeddings alone. The network is stored beside it
 * for a training that goes on; where it is missing, the embeddings are trained as in prompt tuning.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param encoder {@code encoder_reparameterization_type}: the network; default {@link Encoder#MLP}
 * @param hiddenSize {@code encoder_hidden_size}: E; 0, the default, is H
 * @param layers {@code encoder_num_layers}: layers of the LSTM; the other network has always two; default 2
 * @param dropout {@code encoder_dropout}: dropout between the layers of the LSTM; default 0
 */
public record PTuningConfig(CommonConfig common, VirtualTokens virtualTokens, Encoder encoder, int hiddenSize,
        int layers, double dropout) implements PeftConfig {
    static final String PEFT_TYPE = "P_TUNING";

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
     * @throws ConfigurationException when a value is out of range
     */
    public PTuningConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(virtualTokens, "virtualTokens");
        Objects.requireNonNull(encoder, "encoder");
        PlacementJson.require(hiddenSize >= 0, "encoder_hidden_size is " + hiddenSize + "; it must be at least 0");
        PlacementJson.require(layers > 0 && layers <= 64,
                "encoder_num_layers is " + layers + "; it must be from 1 to 64");
        PlacementJson.require(dropout >= 0 && dropout < 1, "encoder_dropout is " + dropout
                + "; it must be at least 0 and below 1");
    }

    /** Virtual tokens with the default network. */
    public static PTuningConfig of(int tokens) {
        return new PTuningConfig(CommonConfig.defaults(), VirtualTokens.of(tokens), Encoder.MLP, 0, 2, 0);
    }

    /** The same with another network. */
    public PTuningConfig withEncoder(Encoder type, int width) {
        return new PTuningConfig(common, virtualTokens, type, width, layers, dropout);
    }

    /** The same with another number of LSTM layers, and dropout between them. */
    public PTuningConfig withLayers(int number, double dropoutBetween) {
        return new PTuningConfig(common, virtualTokens, encoder, hiddenSize, number, dropoutBetween);
    }

    /** The same for a model. */
    PTuningConfig on(VirtualTokens sizes) {
        return new PTuningConfig(common, sizes, encoder, hiddenSize == 0 ? sizes.tokenDim() : hiddenSize, layers,
                dropout);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public PTuningConfig withCommon(CommonConfig other) {
        return new PTuningConfig(other, virtualTokens, encoder, hiddenSize, layers, dropout);
    }

    static PTuningConfig read(ConfigReader reader) {
        VirtualTokens tokens = VirtualTokens.read(reader);
        String name = reader.text("encoder_reparameterization_type", "MLP");
        Encoder type = Arrays.stream(Encoder.values()).filter(value -> value.name().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": encoder_reparameterization_type is '"
                        + name + "'; it must be one of " + Arrays.toString(Encoder.values())));
        int width = reader.integer("encoder_hidden_size", 0, 0);
        int layers = reader.integer("encoder_num_layers", 2, 1);
        double dropout = reader.dropout("encoder_dropout", 0);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new PTuningConfig(common, tokens, type, width, layers, dropout));
    }

    @Override
    public String toJson() {
        ConfigWriter writer = virtualTokens.write(new ConfigWriter(PEFT_TYPE, common));
        VirtualTokens.put(writer, "encoder_hidden_size", hiddenSize);
        return writer.put("encoder_reparameterization_type", encoder.name())
                .put("encoder_num_layers", layers)
                .putDecimal("encoder_dropout", dropout)
                .toJson();
    }
}
