package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * Full fine-tuning: all weights of the model are trained, or those of chosen layers. Each trained layer is a copy in
 * f32 that begins with the base's values, so the base stays as it is; an output layer that is the input embedding stays
 * one with it, where all is trained.
 *
 * <p>Hugging Face PEFT has no such method. The folder that is saved has an adapter's form, with the checkpoint's
 * tensors behind {@code base_model.model.}, and a {@code peft_type} that PEFT refuses by name. Merged into the model it
 * is an ordinary checkpoint.
 *
 * @param common what every configuration holds
 * @param placement the trained layers ({@code target_modules}, {@code exclude_modules}); default all
 */
public record FullConfig(CommonConfig common, Placement placement) implements PeftConfig {
    static final String PEFT_TYPE = "FULL";
    private static final PlacementJson PLACEMENT = PlacementJson.of(PlacementJson.Key.EXCLUDE);

    /** Checks that nothing is null. */
    public FullConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
    }

    /** All weights. */
    public static FullConfig defaults() {
        return new FullConfig(CommonConfig.defaults(), Placement.defaults());
    }

    /** The weights of chosen layers. */
    public FullConfig withPlacement(Placement other) {
        return new FullConfig(common, other);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public FullConfig withCommon(CommonConfig other) {
        return new FullConfig(other, placement);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static FullConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        return new FullConfig(reader.common(), placement);
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common)).toJson();
    }
}
