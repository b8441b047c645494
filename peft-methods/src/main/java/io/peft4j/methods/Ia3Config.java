package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.List;
import java.util.Objects;

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
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; no model here has such
 * @param initWeights {@code init_ia3_weights}: whether l begins at 1, so that the model begins as the base; otherwise
 *     normal, for tests; default true
 */
public record Ia3Config(CommonConfig common, Placement placement, TargetModules feedforwardModules,
        boolean fanInFanOut, boolean initWeights) implements PeftConfig {
    static final String PEFT_TYPE = "IA3";
    private static final PlacementJson PLACEMENT =
            PlacementJson.of(PlacementJson.Key.EXCLUDE, PlacementJson.Key.SAVE);

    /**
     * Checks the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a feed-forward module is no target, where both are lists
     */
    public Ia3Config {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        List<String> targets = placement.targetModules().names().orElse(List.of());
        List<String> others = feedforwardModules.names().orElse(List.of()).stream()
                .filter(name -> !targets.contains(name)).toList();
        PlacementJson.require(targets.isEmpty() || others.isEmpty(), "feedforward_modules " + others
                + " are not in target_modules " + targets + "; name them there, too");
    }

    /** Hugging Face PEFT's defaults. */
    public static Ia3Config defaults() {
        return new Ia3Config(CommonConfig.defaults(), Placement.defaults(), TargetModules.UNSET, false, true);
    }

    /** The same at other places. */
    public Ia3Config withPlacement(Placement other, String... feedforward) {
        return new Ia3Config(common, other, TargetModules.of(feedforward), fanInFanOut, initWeights);
    }

    /** The same with another beginning. */
    public Ia3Config withInitWeights(boolean ones) {
        return new Ia3Config(common, placement, feedforwardModules, fanInFanOut, ones);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public Ia3Config withCommon(CommonConfig other) {
        return new Ia3Config(other, placement, feedforwardModules, fanInFanOut, initWeights);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static Ia3Config read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        TargetModules feedforward = reader.modules("feedforward_modules");
        boolean transposed = reader.flag("fan_in_fan_out", false);
        boolean ones = reader.flag("init_ia3_weights", true);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new Ia3Config(common, placement, feedforward, transposed, ones));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("feedforward_modules", feedforwardModules)
                .put("fan_in_fan_out", fanInFanOut)
                .put("init_ia3_weights", initWeights)
                .toJson();
    }
}
