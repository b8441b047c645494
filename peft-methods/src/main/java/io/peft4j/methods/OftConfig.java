package io.peft4j.methods;

import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * OFT (<a href="https://arxiv.org/abs/2306.07280">2306.07280</a>): the input of a linear layer is rotated by a
 * block-diagonal orthogonal matrix, {@code y = (x R) W^T + b}. A block of size B is the Cayley transform of a
 * skew-symmetric matrix, whose {@code B (B - 1) / 2} elements above the diagonal are trained; a layer has
 * {@code in / B} blocks, or one that is used everywhere.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param blocks {@code r}: the number of blocks; 0, the default, where the block size is given
 * @param blockSize {@code oft_block_size}: B; default 32, 0 where the number of blocks is given. One that does not
 * divide
 *     a layer's input is replaced by the nearest that does
 * @param blockShare {@code block_share}: whether all blocks of a layer are one; default false
 * @param cayleyNeumann {@code use_cayley_neumann}: whether the transform is approximated by a series; default true
 * @param neumannTerms {@code num_cayley_neumann_terms}: its terms; default 5
 * @param constrained {@code coft}: whether training keeps each skew-symmetric matrix within a ball; default false
 * @param eps {@code eps}: the radius of that ball, times the root of the number of blocks; default 6e-5
 * @param initWeights {@code init_weights}: whether the model begins as the base; otherwise normal with standard
 *     deviation 0.1, for tests; default true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 * @param moduleDropout {@code module_dropout}: has no effect in Hugging Face PEFT 0.21; a new adapter with another
 * value
 *     than 0 is refused
 */
public record OftConfig(CommonConfig common, Placement placement, int blocks, int blockSize, boolean blockShare,
        boolean cayleyNeumann, int neumannTerms, boolean constrained, double eps, boolean initWeights,
        boolean fanInFanOut, double moduleDropout) implements PeftConfig {
    static final String PEFT_TYPE = "OFT";
    private static final PlacementJson PLACEMENT = PlacementJson.all("oft_only");

    /**
     * Checks ranges and the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when not exactly one of number and size of blocks is given,
     * or
     *     a value is out of range
     */
    public OftConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        PlacementJson.require(blocks >= 0 && blockSize >= 0 && blocks == 0 != (blockSize == 0),
                "r is " + blocks + " and oft_block_size is " + blockSize
                + "; give one of them, and 0 for the other");
        PlacementJson.require(neumannTerms > 0 && neumannTerms <= 100, "num_cayley_neumann_terms is " + neumannTerms
                + "; it must be from 1 to 100");
        PlacementJson.require(eps >= 0 && Double.isFinite(eps), "eps is " + eps + "; it must be at least 0");
    }

    /** Hugging Face PEFT's defaults. */
    public static OftConfig defaults() {
        return new OftConfig(CommonConfig.defaults(), Placement.defaults(), 0, 32, false, true, 5, false, 6e-5, true,
                false, 0);
    }

    /** The same at other places. */
    public OftConfig withPlacement(Placement other) {
        return new OftConfig(common, other, blocks, blockSize, blockShare, cayleyNeumann, neumannTerms, constrained,
                eps, initWeights, fanInFanOut, moduleDropout);
    }

    /** The same with blocks of a size. */
    public OftConfig withBlockSize(int size) {
        return new OftConfig(common, placement, 0, size, blockShare, cayleyNeumann, neumannTerms, constrained, eps,
                initWeights, fanInFanOut, moduleDropout);
    }

    /** The same with a number of blocks. */
    public OftConfig withBlocks(int number) {
        return new OftConfig(common, placement, number, 0, blockShare, cayleyNeumann, neumannTerms, constrained, eps,
                initWeights, fanInFanOut, moduleDropout);
    }

    /** The same with one block a layer. */
    public OftConfig sharingBlocks() {
        return new OftConfig(common, placement, blocks, blockSize, true, cayleyNeumann, neumannTerms, constrained, eps,
                initWeights, fanInFanOut, moduleDropout);
    }

    /** The same with the exact transform. */
    public OftConfig exact() {
        return new OftConfig(common, placement, blocks, blockSize, blockShare, false, neumannTerms, constrained, eps,
                initWeights, fanInFanOut, moduleDropout);
    }

    /** The same within a ball. */
    public OftConfig constrainedTo(double radius) {
        return new OftConfig(common, placement, blocks, blockSize, blockShare, cayleyNeumann, neumannTerms, true,
                radius, initWeights, fanInFanOut, moduleDropout);
    }

    /** The same with another beginning. */
    public OftConfig withInitWeights(boolean identity) {
        return new OftConfig(common, placement, blocks, blockSize, blockShare, cayleyNeumann, neumannTerms,
                constrained, eps, identity, fanInFanOut, moduleDropout);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public OftConfig withCommon(CommonConfig other) {
        return new OftConfig(other, placement, blocks, blockSize, blockShare, cayleyNeumann, neumannTerms, constrained,
                eps, initWeights, fanInFanOut, moduleDropout);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static OftConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int blocks = reader.integer("r", 0, 0);
        int size = reader.integer("oft_block_size", 32, 0);
        boolean share = reader.flag("block_share", false);
        boolean neumann = reader.flag("use_cayley_neumann", true);
        int terms = reader.integer("num_cayley_neumann_terms", 5, 1);
        boolean constrained = reader.flag("coft", false);
        double eps = reader.number("eps", 6e-5);
        boolean start = reader.flag("init_weights", true);
        boolean transposed = reader.flag("fan_in_fan_out", false);
        double dropout = reader.number("module_dropout", 0);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new OftConfig(common, placement, blocks, size, share, neumann,
                terms, constrained, eps, start, transposed, dropout));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("r", blocks)
                .put("oft_block_size", blockSize)
                .put("block_share", blockShare)
                .put("use_cayley_neumann", cayleyNeumann)
                .put("num_cayley_neumann_terms", neumannTerms)
                .put("coft", constrained)
                .putDecimal("eps", eps)
                .put("init_weights", initWeights)
                .put("fan_in_fan_out", fanInFanOut)
                .putDecimal("module_dropout", moduleDropout)
                .toJson();
    }
}
