package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * HRA (<a href="https://arxiv.org/abs/2405.17484">2405.17484</a>): a weight is multiplied by r Householder reflections,
 * {@code W' = W H_1 ... H_r}, whose normals [in, r] are trained: {@code r * in} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the number of reflections; default 8. An odd number does not begin as the base
 * @param gramSchmidt {@code apply_GS}: whether the normals are made orthogonal first; then they begin at random;
 * default
 *     false
 * @param initWeights {@code init_weights}: whether normals begin in equal pairs, so that the model begins as the base;
 *     otherwise at random, for tests; default true
 */
public record HraConfig(CommonConfig common, Placement placement, int rank, boolean gramSchmidt, boolean initWeights)
        implements PeftConfig {
    static final String PEFT_TYPE = "HRA";
    private static final PlacementJson PLACEMENT = PlacementJson.all("hra_only");

    /**
     * Checks the rank.
     *
     * @throws io.peft4j.core.error.ConfigurationException when it is below 1
     */
    public HraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        PlacementJson.require(rank > 0, "the number of reflections (r) is " + rank + "; it must be at least 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static HraConfig defaults() {
        return new HraConfig(CommonConfig.defaults(), Placement.defaults(), 8, false, true);
    }

    /** The same at other places. */
    public HraConfig withPlacement(Placement other) {
        return new HraConfig(common, other, rank, gramSchmidt, initWeights);
    }

    /** The same with another number of reflections. */
    public HraConfig withRank(int number) {
        return new HraConfig(common, placement, number, gramSchmidt, initWeights);
    }

    /** The same with orthogonal normals. */
    public HraConfig withGramSchmidt() {
        return new HraConfig(common, placement, rank, true, initWeights);
    }

    /** The same with another beginning. */
    public HraConfig withInitWeights(boolean identity) {
        return new HraConfig(common, placement, rank, gramSchmidt, identity);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public HraConfig withCommon(CommonConfig other) {
        return new HraConfig(other, placement, rank, gramSchmidt, initWeights);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static HraConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int rank = reader.integer("r", 8, 1);
        boolean orthogonal = reader.flag("apply_GS", false);
        boolean start = reader.flag("init_weights", true);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new HraConfig(common, placement, rank, orthogonal, start));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("r", rank)
                .put("apply_GS", gramSchmidt)
                .put("init_weights", initWeights)
                .toJson();
    }
}
