package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;
import java.util.Optional;

/**
 * LLaMA-Adapter (<a href="https://arxiv.org/abs/2303.16199">2303.16199</a>): in the upper layers every query also looks
 * at L trained prompt vectors [L, H], by an attention of its own whose result is scaled by a trained gate that begins
 * at 0. A layer gets {@code L * H + 1} parameters.
 *
 * @param common what every configuration holds
 * @param attention {@code target_modules}: name of the attention layers; default {@code self_attn}
 * @param length {@code adapter_len}: L; default 10, where Hugging Face PEFT has none
 * @param layers {@code adapter_layers}: how many layers, counted from the top; 0, the default, is all
 */
public record AdaptionPromptConfig(CommonConfig common, Optional<String> attention, int length, int layers)
        implements PeftConfig {
    static final String PEFT_TYPE = "ADAPTION_PROMPT";
    /** The name where none is given. */
    static final String ATTENTION = "self_attn";

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public AdaptionPromptConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(attention, "attention");
        PlacementJson.require(length > 0, "adapter_len is " + length + "; it must be at least 1");
        PlacementJson.require(layers >= 0, "adapter_layers is " + layers + "; it must be at least 0");
    }

    /** Prompts of a length in the uppermost layers. */
    public static AdaptionPromptConfig of(int length, int layers) {
        return new AdaptionPromptConfig(CommonConfig.defaults(), Optional.empty(), length, layers);
    }

    AdaptionPromptConfig on(int layerCount) {
        return new AdaptionPromptConfig(common, attention.or(() -> Optional.of(ATTENTION)), length,
                layers == 0 ? layerCount : layers);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public AdaptionPromptConfig withCommon(CommonConfig other) {
        return new AdaptionPromptConfig(other, attention, length, layers);
    }

    @Override
    public TargetModules targetModules() {
        return TargetModules.of(attention.orElse(ATTENTION));
    }

    static AdaptionPromptConfig read(ConfigReader reader) {
        Optional<String> attention = reader.optionalText("target_modules");
        int length = reader.integer("adapter_len", 10, 1);
        int layers = reader.integer("adapter_layers", 0, 0);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new AdaptionPromptConfig(common, attention, length, layers));
    }

    @Override
    public String toJson() {
        ConfigWriter writer = new ConfigWriter(PEFT_TYPE, common)
                .put("target_modules", attention)
                .put("adapter_len", length);
        VirtualTokens.put(writer, "adapter_layers", layers);
        return writer.toJson();
    }
}
