package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * OFT (<a href="https://arxiv.org/abs/2306.07280">2306.07280</a>): the input of a linear layer is rotated by a
 * block-diagonal orthogonal matrix, {@code y = (x R) W^T + b}. A block of size B is the Cayley transform of a
 * skew-symmetric matrix, whose {@code B (B - 1) / 2} elements above the diagonal are trained; a layer has
 * {@code in / B} blocks, or one that is used everywhere. Of an embedding the rows that are looked up are rotated.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and embeddings, and what is trained beside them; default as LoRA's
 * @param blocks {@code r}: the number of blocks; 0, the default, where the block size is given
 * @param blockSize {@code oft_block_size}: B; default 32, 0 where the number of blocks is given. One that does not
 *     divide a layer's input is replaced by the nearest that does
 * @param blockShare {@code block_share}: whether all blocks of a layer are one; default false
 * @param cayleyNeumann {@code use_cayley_neumann}: whether the transform is approximated by a series; default true
 * @param neumannTerms {@code num_cayley_neumann_terms}: its terms; default 5
 * @param constrained {@code coft}: whether training keeps each skew-symmetric matrix within a ball; default false
 * @param eps {@code eps}: the radius of that ball, times the root of the number of blocks; default 6e-5
 * @param initWeights {@code init_weights}: whether the model begins as the base; otherwise normal with standard
 *     deviation 0.1, for tests; default true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 * @param moduleDropout {@code module_dropout}: has no effect in Hugging Face PEFT 0.21; a new adapter with another
 *     value than 0 is refused
 */
@PeftType(value = "OFT", name = "oft", description = "a block-diagonal orthogonal transform of the input",
        paper = "https://arxiv.org/abs/2306.07280")
public record OftConfig(CommonConfig common, @Group(biasWord = "oft_only") Placement placement,
        @Key("r") int blocks, @Key(value = "oft_block_size", fallback = "32") int blockSize,
        @Key("block_share") boolean blockShare,
        @Key(value = "use_cayley_neumann", fallback = "true") boolean cayleyNeumann,
        @Key(value = "num_cayley_neumann_terms", fallback = "5") int neumannTerms, @Key("coft") boolean constrained,
        @Key(value = "eps", fallback = "6e-5") double eps,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("fan_in_fan_out") boolean fanInFanOut, @Key("module_dropout") double moduleDropout)
        implements
            PlacedConfig {
    /**
     * Checks ranges and the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when not exactly one of number and size of blocks is given,
     *     or a value is out of range
     */
    public OftConfig {
        Checks.require(blocks >= 0 && blockSize >= 0 && blocks == 0 != (blockSize == 0),
                "r is " + blocks + " and oft_block_size is " + blockSize
                        + "; set one of them, and 0 for the other");
        Checks.require(neumannTerms > 0 && neumannTerms <= 100, "num_cayley_neumann_terms is " + neumannTerms
                + "; it must be from 1 to 100");
        Checks.require(eps >= 0 && Double.isFinite(eps), "eps is " + eps + "; it must be at least 0");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static OftConfigBuilder builder() {
        return ConfigBuilder.of(OftConfigBuilder.class, OftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public OftConfigBuilder toBuilder() {
        return ConfigBuilder.from(OftConfigBuilder.class, this);
    }
}
