package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * EVA (<a href="https://arxiv.org/abs/2410.07170">2410.07170</a>): A begins with the directions in which a layer's
 * inputs vary most, B with zero, and ranks go where they explain most. The model begins as the base; needs data.
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
@Internal
public record Eva(@Key(value = "rho", fallback = "2") double rho, @Key(value = "tau", fallback = "0.99") double tau,
        @Key(value = "use_label_mask", fallback = "true") boolean useLabelMask,
        @Key(value = "label_mask_value", fallback = "-100") int labelMaskValue, @Key("whiten") boolean whiten,
        @Key(value = "adjust_scaling_factors", fallback = "true") boolean adjustScalingFactors)
        implements
            LoraInit.WithOptions {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when rho is below 1, or tau outside of [0, 1]
     */
    public Eva {
        Checks.require(rho >= 1 && Double.isFinite(rho), "rho is " + rho + "; it must be at least 1");
        Checks.require(tau >= 0 && tau <= 1, "tau is " + tau + "; it must be from 0 to 1");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, Eva.class);
    }

    @Override
    public String json() {
        return "\"eva\"";
    }

    @Override
    public boolean needsCalibration() {
        return true;
    }

    @Override
    public boolean computesAlphas() {
        return adjustScalingFactors;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        CalibrationBatches data = setup.calibration("init_lora_weights " + json());
        EvaSearch search = new EvaSearch(setup.base(), this, targets.stream().filter(LoraTarget::isLinear).toList());
        search.run(data.batches());
        List<LoraTarget> result = new ArrayList<>();
        for (LoraTarget target : targets) {
            if (!target.isLinear()) {
                result.add(target);
            } else if (search.rank(target.slot()) > 0) {
                result.add(begun(target, search.rank(target.slot()), search.directions(target.slot())));
            }
        }
        return result;
    }

    private LoraTarget begun(LoraTarget target, int rank, double[] directions) {
        LoraStart start = new LoraStart(Arrays.floats(directions), new float[target.linear().outFeatures() * rank],
                false);
        double alpha = rank != target.rank() && adjustScalingFactors ? target.alpha() * rank / target.rank()
                : target.alpha();
        return new LoraTarget(target.slot(), rank, alpha, target.scaling(), Optional.of(() -> start));
    }

    /** Builds {@link Eva}, which says what each value means. */
    public interface Builder extends ConfigBuilder<Eva> {
        /** A layer gets at most rho * r ranks; default 2. */
        Builder rho(double value);

        /** The cosine at which a direction is found; default 0.99. */
        Builder tau(double value);

        /** Whether only inputs at supervised tokens count; default true. */
        Builder useLabelMask(boolean value);

        /** Hugging Face's label of a token that is not supervised; default -100. */
        Builder labelMaskValue(int value);

        /** Whether directions are divided by the root of their singular value; default false. */
        Builder whiten(boolean value);

        /** Whether alpha grows and falls with a layer's rank; default true. */
        Builder adjustScalingFactors(boolean value);
    }
}
