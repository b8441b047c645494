package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;

/**
 * EVA (<a href="https://arxiv.org/abs/2410.07170">2410.07170</a>): A begins with the directions in which a layer's
 * inputs vary most, and ranks go where they explain most.
 *
 * @param rho {@code rho}: a layer gets at most {@code rho * r} ranks, at least 1; 1 keeps ranks as they are; default 2
 * @param tau {@code tau}: a direction is found when its cosine to that of the batch before is at least this, in [0, 1];
 *     default 0.99
 * @param useLabelMask {@code use_label_mask}: whether only inputs at supervised tokens count; default true
 * @param labelMaskValue {@code label_mask_value}: Hugging Face's label of a token that is not supervised; default -100.
 *     Here a weight of 0 says so, whatever the value
 * @param whiten {@code whiten}: whether directions are divided by the root of their singular value; default false
 * @param adjustScalingFactors {@code adjust_scaling_factors}: whether alpha grows and falls with a layer's rank;
 *     default true
 */
public record EvaConfig(double rho, double tau, boolean useLabelMask, int labelMaskValue, boolean whiten,
        boolean adjustScalingFactors) implements StartConfig {
    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when rho is below 1, or tau outside of [0, 1]
     */
    public EvaConfig {
        Targets.require(rho >= 1 && Double.isFinite(rho), "rho is " + rho + "; it must be at least 1");
        Targets.require(tau >= 0 && tau <= 1, "tau is " + tau + "; it must be from 0 to 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static EvaConfig defaults() {
        return new EvaConfig(2, 0.99, true, -100, false, true);
    }

    /** The same with other bounds. */
    public EvaConfig with(double newRho, double newTau) {
        return new EvaConfig(newRho, newTau, useLabelMask, labelMaskValue, whiten, adjustScalingFactors);
    }

    static EvaConfig read(ConfigReader reader) {
        EvaConfig defaults = defaults();
        EvaConfig config = Targets.checked(reader, () -> new EvaConfig(reader.number("rho", defaults.rho),
                reader.number("tau", defaults.tau), reader.flag("use_label_mask", true),
                reader.integer("label_mask_value", defaults.labelMaskValue, Integer.MIN_VALUE),
                reader.flag("whiten", false), reader.flag("adjust_scaling_factors", true)));
        reader.end();
        return config;
    }

    @Override
    public boolean computesAlphas() {
        return adjustScalingFactors;
    }

    @Override
    public String key() {
        return "eva_config";
    }

    @Override
    public String toJson() {
        return ConfigWriter.nested().putDecimal("rho", rho).putDecimal("tau", tau).put("use_label_mask", useLabelMask)
                .put("label_mask_value", labelMaskValue).put("whiten", whiten)
                .put("adjust_scaling_factors", adjustScalingFactors).toJson();
    }
}
