package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * FourierFT (<a href="https://arxiv.org/abs/2405.03003">2405.03003</a>): a weight [out, in] is changed by the inverse
 * Fourier transform of n trained coefficients at frequencies that a seed chooses: n parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param frequencies {@code n_frequency}: n; default 1000
 * @param scaling {@code scaling}: factor on the change; default 150
 * @param seed {@code random_loc_seed}: chooses the frequencies, the same in Hugging Face PEFT; default 777
 * @param frequencyPattern {@code n_frequency_pattern}: other numbers, by expressions for the end of a path from the
 *     beginning of one of its parts, the first that matches, or else by a whole path ({@link
 *     io.peft4j.core.peft.PathPatterns#belowAnother}); default none
 * @param initWeights {@code init_weights}: whether coefficients begin at 0, so that the model begins as the base;
 *     otherwise normal with standard deviation 1; default false
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
public record FourierFtConfig(CommonConfig common, Placement placement, int frequencies, double scaling, int seed,
        Map<String, Integer> frequencyPattern, boolean initWeights, boolean fanInFanOut) implements PeftConfig {
    static final String PEFT_TYPE = "FOURIERFT";
    private static final PlacementJson PLACEMENT = PlacementJson.all("fourier_only");

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public FourierFtConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        frequencyPattern = Collections.unmodifiableMap(new LinkedHashMap<>(frequencyPattern));
        PlacementJson.require(frequencies > 0, "n_frequency is " + frequencies + "; it must be at least 1");
        PlacementJson.require(Double.isFinite(scaling), "scaling is " + scaling + "; it must be a number");
    }

    /** Hugging Face PEFT's defaults. */
    public static FourierFtConfig defaults() {
        return new FourierFtConfig(CommonConfig.defaults(), Placement.defaults(), 1000, 150, 777, Map.of(), false,
                false);
    }

    /** The same at other places. */
    public FourierFtConfig withPlacement(Placement other) {
        return new FourierFtConfig(common, other, frequencies, scaling, seed, frequencyPattern, initWeights,
                fanInFanOut);
    }

    /** The same with another number of frequencies. */
    public FourierFtConfig withFrequencies(int number) {
        return new FourierFtConfig(common, placement, number, scaling, seed, frequencyPattern, initWeights,
                fanInFanOut);
    }

    /** The same with other numbers of frequencies by expression. */
    public FourierFtConfig withFrequencyPattern(Map<String, Integer> pattern) {
        return new FourierFtConfig(common, placement, frequencies, scaling, seed, pattern, initWeights, fanInFanOut);
    }

    /** The same with another factor. */
    public FourierFtConfig withScaling(double factor) {
        return new FourierFtConfig(common, placement, frequencies, factor, seed, frequencyPattern, initWeights,
                fanInFanOut);
    }

    /** The same with another beginning. */
    public FourierFtConfig withInitWeights(boolean zero) {
        return new FourierFtConfig(common, placement, frequencies, scaling, seed, frequencyPattern, zero, fanInFanOut);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public FourierFtConfig withCommon(CommonConfig other) {
        return new FourierFtConfig(other, placement, frequencies, scaling, seed, frequencyPattern, initWeights,
                fanInFanOut);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static FourierFtConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int frequencies = reader.integer("n_frequency", 1000, 1);
        double scaling = reader.number("scaling", 150);
        int seed = reader.integer("random_loc_seed", 777, 0);
        Map<String, Integer> pattern = reader.integers("n_frequency_pattern");
        boolean zero = reader.flag("init_weights", false);
        boolean transposed = reader.flag("fan_in_fan_out", false);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new FourierFtConfig(common, placement, frequencies, scaling, seed,
                pattern, zero, transposed));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("n_frequency", frequencies)
                .putDecimal("scaling", scaling)
                .put("random_loc_seed", seed)
                .put("n_frequency_pattern", frequencyPattern)
                .put("init_weights", initWeights)
                .put("fan_in_fan_out", fanInFanOut)
                .toJson();
    }
}
