package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * LN tuning (<a href="https://arxiv.org/abs/2312.11420">2312.11420</a>): the norms of the model are trained and nothing
 * else, {@code H} parameters a norm. Other layers can be named as well and are trained as a whole then.
 *
 * @param common what every configuration holds
 * @param placement the trained layers ({@code target_modules}, {@code exclude_modules}, {@code modules_to_save});
 * default
 *     all norms for Llama
 */
public record LnTuningConfig(CommonConfig common, Placement placement) implements PeftConfig {
    static final String PEFT_TYPE = "LN_TUNING";
    private static final PlacementJson PLACEMENT =
            PlacementJson.of(PlacementJson.Key.EXCLUDE, PlacementJson.Key.SAVE);

    /** Checks that nothing is null. */
    public LnTuningConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
    }

    /** Hugging Face PEFT's defaults. */
    public static LnTuningConfig defaults() {
        return new LnTuningConfig(CommonConfig.defaults(), Placement.defaults());
    }

    /** The same at other places. */
    public LnTuningConfig withPlacement(Placement other) {
        return new LnTuningConfig(common, other);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public LnTuningConfig withCommon(CommonConfig other) {
        return new LnTuningConfig(other, placement);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static LnTuningConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        return new LnTuningConfig(reader.common(), placement);
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common)).toJson();
    }
}
