package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * SHiRA (<a href="https://arxiv.org/abs/2406.13175">2406.13175</a>): a weight [out, in] is changed at
 * {@code r (out + in)} places, which are drawn at random and stored: as many parameters as LoRA has, of high rank.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers ({@code target_modules}, {@code modules_to_save}); default as LoRA's
 * @param rank {@code r}; default 32
 * @param seed {@code random_seed}: chooses the places, the same in Hugging Face PEFT; default none, which draws them
 * from
 *     the adapter's seed
 * @param initWeights {@code init_weights}: whether changes begin at 0; otherwise normal, for tests; default true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
public record ShiraConfig(CommonConfig common, Placement placement, int rank, OptionalInt seed, boolean initWeights,
        boolean fanInFanOut) implements PeftConfig {
    static final String PEFT_TYPE = "SHIRA";
    private static final PlacementJson PLACEMENT = PlacementJson.of(PlacementJson.Key.SAVE);

    /**
     * Checks the rank.
     *
     * @throws ConfigurationException when it is below 1
     */
    public ShiraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        Objects.requireNonNull(seed, "seed");
        PlacementJson.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static ShiraConfig defaults() {
        return new ShiraConfig(CommonConfig.defaults(), Placement.defaults(), 32, OptionalInt.empty(), true, false);
    }

    /** The same at other places. */
    public ShiraConfig withPlacement(Placement other) {
        return new ShiraConfig(common, other, rank, seed, initWeights, fanInFanOut);
    }

    /** The same with another rank. */
    public ShiraConfig withRank(int number) {
        return new ShiraConfig(common, placement, number, seed, initWeights, fanInFanOut);
    }

    /** The same at the places that a seed chooses. */
    public ShiraConfig withSeed(int number) {
        return new ShiraConfig(common, placement, rank, OptionalInt.of(number), initWeights, fanInFanOut);
    }

    /** The same with another beginning. */
    public ShiraConfig withInitWeights(boolean zero) {
        return new ShiraConfig(common, placement, rank, seed, zero, fanInFanOut);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public ShiraConfig withCommon(CommonConfig other) {
        return new ShiraConfig(other, placement, rank, seed, initWeights, fanInFanOut);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static ShiraConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int rank = reader.integer("r", 32, 1);
        int seed = reader.integer("random_seed", -1, 0);
        boolean start = reader.flag("init_weights", true);
        boolean transposed = reader.flag("fan_in_fan_out", false);
        String mask = reader.text("mask_type", "random");
        if (!mask.equals("random")) {
            throw new ConfigurationException(reader.source() + ": mask_type is '" + mask + "'; it must be random");
        }
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new ShiraConfig(common, placement, rank,
                seed < 0 ? OptionalInt.empty() : OptionalInt.of(seed), start, transposed));
    }

    @Override
    public String toJson() {
        ConfigWriter writer = PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("r", rank)
                .put("mask_type", "random")
                .put("init_weights", initWeights)
                .put("fan_in_fan_out", fanInFanOut);
        return (seed.isPresent() ? writer.put("random_seed", seed.getAsInt()) : writer.putNull("random_seed")).toJson();
    }
}
