package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import java.util.Objects;
import java.util.Optional;

/**
 * Prefix tuning (<a href="https://arxiv.org/abs/2101.00190">2101.00190</a>): in every layer trained keys and values
 * come before those of the sequence, as if {@code tokens} positions had been computed already. With C = key/value heads
 * x D they are a table [tokens, layers * 2 * C]. With a projection, the table is computed while it is trained, from a
 * smaller one [tokens, C] by {@code C -> E -> layers * 2 * C} with tanh between.
 *
 * <p>As in Hugging Face PEFT the adapter's file holds the large table alone. The projection is stored beside it for a
 * training that goes on; where it is missing, the table is trained itself.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param hiddenSize {@code encoder_hidden_size}: E; 0, the default, is C
 * @param projection {@code prefix_projection}: whether there is a projection; default false
 * @param zeroStart {@code init_weights}: whether keys and values begin at 0 ({@code "zero"}); default false, which is
 *     normal with standard deviation 1
 */
public record PrefixTuningConfig(CommonConfig common, VirtualTokens virtualTokens, int hiddenSize, boolean projection,
        boolean zeroStart) implements PeftConfig {
    static final String PEFT_TYPE = "PREFIX_TUNING";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public PrefixTuningConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(virtualTokens, "virtualTokens");
        PlacementJson.require(hiddenSize >= 0, "encoder_hidden_size is " + hiddenSize + "; it must be at least 0");
    }

    /** A prefix without a projection. */
    public static PrefixTuningConfig of(int tokens) {
        return new PrefixTuningConfig(CommonConfig.defaults(), VirtualTokens.of(tokens), 0, false, false);
    }

    /** The same with a projection. */
    public PrefixTuningConfig withProjection(int width) {
        return new PrefixTuningConfig(common, virtualTokens, width, true, zeroStart);
    }

    /** The same, beginning at 0. */
    public PrefixTuningConfig fromZero() {
        return new PrefixTuningConfig(common, virtualTokens, hiddenSize, projection, true);
    }

    /** The same for a model. */
    PrefixTuningConfig on(VirtualTokens sizes) {
        return new PrefixTuningConfig(common, sizes, hiddenSize == 0 ? sizes.tokenDim() : hiddenSize, projection,
                zeroStart);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public PrefixTuningConfig withCommon(CommonConfig other) {
        return new PrefixTuningConfig(other, virtualTokens, hiddenSize, projection, zeroStart);
    }

    static PrefixTuningConfig read(ConfigReader reader) {
        VirtualTokens tokens = VirtualTokens.read(reader);
        int width = reader.integer("encoder_hidden_size", 0, 0);
        boolean projection = reader.flag("prefix_projection", false);
        Optional<String> start = reader.optionalText("init_weights");
        if (start.isPresent() && !start.get().equals("zero")) {
            throw new ConfigurationException(reader.source() + ": init_weights is '" + start.get()
                    + "'; it must be zero or absent");
        }
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader,
                () -> new PrefixTuningConfig(common, tokens, width, projection, start.isPresent()));
    }

    @Override
    public String toJson() {
        ConfigWriter writer = virtualTokens.write(new ConfigWriter(PEFT_TYPE, common));
        VirtualTokens.put(writer, "encoder_hidden_size", hiddenSize);
        return writer.put("prefix_projection", projection)
                .put("init_weights", zeroStart ? Optional.of("zero") : Optional.empty())
                .toJson();
    }
}
