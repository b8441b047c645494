package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;

/**
 * IA3 (<a href="https://arxiv.org/abs/2205.05638">2205.05638</a>): a vector l scales the output of a linear layer,
 * {@code y = (x W^T + b) * l} with l [out], or, in feed-forward layers, its input, {@code y = (x * l) W^T + b} with l
 * [in]. A layer gets {@code out} or {@code in} trainable parameters.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers ({@code target_modules}, {@code exclude_modules},
 *     {@code modules_to_save}); default {@code k_proj}, {@code v_proj} and {@code down_proj} for Llama
 * @param feedforwardModules {@code feedforward_modules}: targets whose input is scaled, by the end of their paths or by
 *     an expression; default {@code down_proj}
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out], as GPT-2's are; a
 *     new adapter gets it automatically
 * @param initWeights {@code init_ia3_weights}: whether l begins at 1, so that the model begins as the base; otherwise
 *     normal, for tests; default true
 */
@PeftType(value = "IA3", name = "ia3",
        description = "a rescaling vector on the outputs of a target, or the inputs of a feed-forward one",
        paper = "https://arxiv.org/abs/2205.05638", autoRateFactor = 20)
public record Ia3Config(CommonConfig common,
        @Group(without = {
            "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key("feedforward_modules") TargetModules feedforwardModules, @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "init_ia3_weights", fallback = "true") boolean initWeights) implements PlacedConfig{
    /**
     * Checks the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a feed-forward module is not a target and both are lists
     */
    public Ia3Config {
        List<String> targets = placement.targetModules().names().orElse(List.of());
        List<String> others = feedforwardModules.names().orElse(List.of()).stream()
                .filter(name -> !targets.contains(name)).toList();
        Checks.require(targets.isEmpty() || others.isEmpty(), "feedforward_modules " + others
                + " are not in target_modules " + targets + "; add them there");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Ia3ConfigBuilder builder() {
        return ConfigBuilder.of(Ia3ConfigBuilder.class, Ia3Config.class);
    }

    /** A builder with the values of this configuration. */
    public Ia3ConfigBuilder toBuilder() {
        return ConfigBuilder.from(Ia3ConfigBuilder.class, this);
    }
}
