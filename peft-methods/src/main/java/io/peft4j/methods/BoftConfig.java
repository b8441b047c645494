package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * BOFT (<a href="https://arxiv.org/abs/2311.06243">2311.06243</a>): as OFT, with a product of block-diagonal rotations
 * between which the input's elements change their places as in a butterfly, and with a scale s [out] of the outputs:
 * {@code y = ((x R) W^T) * s + b}. A layer gets {@code m * in * B + out} trainable parameters, m factors with blocks of
 * size B.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param blockSize {@code boft_block_size}: B; default 4, 0 where the number of blocks is given
 * @param blocks {@code boft_block_num}: the number of blocks; 0, the default, where the block size is given
 * @param factors {@code boft_n_butterfly_factor}: m; default 1. Hugging Face PEFT computes more than one on GPUs only
 * @param dropout {@code boft_dropout}: share of a factor's blocks that are no rotation in a pass of training; default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base; otherwise at random, for tests;
 * default
 *     true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
public record BoftConfig(CommonConfig common, Placement placement, int blockSize, int blocks, int factors,
        double dropout, boolean initWeights, boolean fanInFanOut) implements PeftConfig {
    static final String PEFT_TYPE = "BOFT";
    private static final PlacementJson PLACEMENT = PlacementJson.all("boft_only");

    /**
     * Checks ranges and the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when not exactly one of number and size of blocks is given,
     * or
     *     a value is out of range
     */
    public BoftConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        PlacementJson.require(blocks >= 0 && blockSize >= 0 && blocks == 0 != (blockSize == 0),
                "boft_block_size is " + blockSize + " and boft_block_num is " + blocks
                + "; give one of them, and 0 for the other");
        PlacementJson.require(factors > 0 && factors <= 30, "boft_n_butterfly_factor is " + factors
                + "; it must be from 1 to 30");
        PlacementJson.require(dropout >= 0 && dropout < 1, "boft_dropout is " + dropout
                + "; it must be at least 0 and below 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static BoftConfig defaults() {
        return new BoftConfig(CommonConfig.defaults(), Placement.defaults(), 4, 0, 1, 0, true, false);
    }

    /** The same at other places. */
    public BoftConfig withPlacement(Placement other) {
        return new BoftConfig(common, other, blockSize, blocks, factors, dropout, initWeights, fanInFanOut);
    }

    /** The same with blocks of a size, and a number of factors. */
    public BoftConfig withBlockSize(int size, int butterflyFactors) {
        return new BoftConfig(common, placement, size, 0, butterflyFactors, dropout, initWeights, fanInFanOut);
    }

    /** The same with a number of blocks, and of factors. */
    public BoftConfig withBlocks(int number, int butterflyFactors) {
        return new BoftConfig(common, placement, 0, number, butterflyFactors, dropout, initWeights, fanInFanOut);
    }

    /** The same with dropout. */
    public BoftConfig withDropout(double share) {
        return new BoftConfig(common, placement, blockSize, blocks, factors, share, initWeights, fanInFanOut);
    }

    /** The same with another beginning. */
    public BoftConfig withInitWeights(boolean identity) {
        return new BoftConfig(common, placement, blockSize, blocks, factors, dropout, identity, fanInFanOut);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public BoftConfig withCommon(CommonConfig other) {
        return new BoftConfig(other, placement, blockSize, blocks, factors, dropout, initWeights, fanInFanOut);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static BoftConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int size = reader.integer("boft_block_size", 4, 0);
        int blocks = reader.integer("boft_block_num", 0, 0);
        int factors = reader.integer("boft_n_butterfly_factor", 1, 1);
        double dropout = reader.dropout("boft_dropout", 0);
        boolean start = reader.flag("init_weights", true);
        boolean transposed = reader.flag("fan_in_fan_out", false);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new BoftConfig(common, placement, size, blocks, factors, dropout,
                start, transposed));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("boft_block_size", blockSize)
                .put("boft_block_num", blocks)
                .put("boft_n_butterfly_factor", factors)
                .putDecimal("boft_dropout", dropout)
                .put("init_weights", initWeights)
                .put("fan_in_fan_out", fanInFanOut)
                .toJson();
    }
}
