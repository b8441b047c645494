package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * Bottleneck adapters: behind a block of the decoder, before its result is added to the residual stream, stands a small
 * network with a bottleneck of B features, {@code y = h + f(h D^T + d) U^T + u}: {@code 2 H B + B + H} parameters a
 * block. Houlsby (<a href="https://arxiv.org/abs/1902.00751">1902.00751</a>) has one behind attention and one behind
 * the feed-forward network of each layer, Pfeiffer (<a href="https://arxiv.org/abs/2005.00247">2005.00247</a>) the
 * second alone.
 *
 * <p>Hugging Face PEFT has no such method. The file has its form, with tensors {@code adapter_down} and
 * {@code adapter_up}, and a {@code peft_type} that PEFT refuses by name.
 *
 * @param common what every configuration holds
 * @param style {@code adapter_style}: which blocks; default {@link Style#HOULSBY}
 * @param placement other blocks than the style's ({@code target_modules}, {@code exclude_modules},
 *     {@code layers_to_transform}, {@code layers_pattern}, {@code modules_to_save})
 * @param size {@code bottleneck_size}: B; default 64
 * @param activation {@code non_linearity}: f; default {@link Activation#RELU}
 */
public record BottleneckConfig(CommonConfig common, Style style, Placement placement, int size, Activation activation)
        implements PeftConfig {
    static final String PEFT_TYPE = "BOTTLENECK";
    private static final PlacementJson PLACEMENT = PlacementJson.of(PlacementJson.Key.EXCLUDE,
            PlacementJson.Key.LAYERS, PlacementJson.Key.SAVE);

    /** Behind which blocks. */
    public enum Style {
        /** Attention and feed-forward network. */
        HOULSBY,
        /** The feed-forward network. */
        PFEIFFER
    }

    /** The function in the bottleneck. */
    public enum Activation {
        /** {@code max(x, 0)}. */
        RELU,
        /** {@code x / (1 + exp(-x))}. */
        SILU,
        /** The hyperbolic tangent. */
        TANH
    }

    /**
     * Checks the size.
     *
     * @throws ConfigurationException when it is below 1
     */
    public BottleneckConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(style, "style");
        Objects.requireNonNull(placement, "placement");
        Objects.requireNonNull(activation, "activation");
        PlacementJson.require(size > 0, "bottleneck_size is " + size + "; it must be at least 1");
    }

    /** Houlsby's places with 64 features. */
    public static BottleneckConfig defaults() {
        return new BottleneckConfig(CommonConfig.defaults(), Style.HOULSBY, Placement.defaults(), 64, Activation.RELU);
    }

    /** The same behind other blocks. */
    public BottleneckConfig withStyle(Style other) {
        return new BottleneckConfig(common, other, placement, size, activation);
    }

    /** The same behind named blocks. */
    public BottleneckConfig withPlacement(Placement other) {
        return new BottleneckConfig(common, style, other, size, activation);
    }

    /** The same with another bottleneck. */
    public BottleneckConfig withSize(int features, Activation function) {
        return new BottleneckConfig(common, style, placement, features, function);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public BottleneckConfig withCommon(CommonConfig other) {
        return new BottleneckConfig(other, style, placement, size, activation);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static BottleneckConfig read(ConfigReader reader) {
        Style style = value(reader, "adapter_style", Style.HOULSBY);
        Placement placement = PLACEMENT.read(reader);
        int size = reader.integer("bottleneck_size", 64, 1);
        Activation activation = value(reader, "non_linearity", Activation.RELU);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new BottleneckConfig(common, style, placement, size, activation));
    }

    private static <E extends Enum<E>> E value(ConfigReader reader, String key, E fallback) {
        E[] all = fallback.getDeclaringClass().getEnumConstants();
        String text = reader.text(key, name(fallback));
        return Arrays.stream(all).filter(value -> name(value).equals(text)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": " + key + " is '" + text
                        + "'; it must be one of " + Arrays.stream(all).map(BottleneckConfig::name).toList()));
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("adapter_style", name(style))
                .put("bottleneck_size", size)
                .put("non_linearity", name(activation))
                .toJson();
    }
}
