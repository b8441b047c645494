package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * BitFit (<a href="https://arxiv.org/abs/2106.10199">2106.10199</a>): the biases of linear layers are trained and
 * nothing else, {@code out} parameters a layer. Many models have no biases; where {@link #addBiases} is on, such a
 * layer gets one that begins at 0.
 *
 * <p>Hugging Face PEFT has no such method. The file has its form, with tensors {@code bias}, and a {@code peft_type}
 * that PEFT refuses by name.
 *
 * @param common what every configuration holds
 * @param placement the linear layers ({@code target_modules}, {@code exclude_modules}, {@code layers_to_transform},
 *     {@code layers_pattern}, {@code modules_to_save}); default all but the output layer
 * @param addBiases {@code add_biases}: whether layers without a bias get one; default true
 */
public record BitFitConfig(CommonConfig common, Placement placement, boolean addBiases) implements PeftConfig {
    static final String PEFT_TYPE = "BITFIT";
    private static final PlacementJson PLACEMENT = PlacementJson.of(PlacementJson.Key.EXCLUDE,
            PlacementJson.Key.LAYERS, PlacementJson.Key.SAVE);

    /** Checks that nothing is null. */
    public BitFitConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
    }

    /** All linear layers but the output layer. */
    public static BitFitConfig defaults() {
        return new BitFitConfig(CommonConfig.defaults(), Placement.defaults(), true);
    }

    /** The same at other places. */
    public BitFitConfig withPlacement(Placement other) {
        return new BitFitConfig(common, other, addBiases);
    }

    /** The same with or without new biases. */
    public BitFitConfig withAddBiases(boolean add) {
        return new BitFitConfig(common, placement, add);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public BitFitConfig withCommon(CommonConfig other) {
        return new BitFitConfig(other, placement, addBiases);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static BitFitConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        boolean add = reader.flag("add_biases", true);
        return new BitFitConfig(reader.common(), placement, add);
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common)).put("add_biases", addBiases).toJson();
    }
}
