package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * MiSS (Matrix Shard Sharing, <a href="https://arxiv.org/abs/2409.15371">2409.15371</a>): one trained block D [r, out]
 * is shared by all pieces of r inputs: {@code y = x W^T + (sum over pieces p of dropout(x_p)) D}; the last piece is
 * filled up with zeros. {@code r * out} trainable parameters a layer; see {@link MissStart} for two other forms.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: inputs of a piece, at most those of the smallest target; default 64
 * @param dropout {@code miss_dropout}: probability that an element of x is dropped in training; default 0
 * @param miniRank {@code mini_r}: outputs of the block of {@link MissStart#MINI}; they must divide out; default 1
 * @param initialization {@code init_weights}: which form, and how the block begins; default {@link MissStart#ZERO}
 * @param bias {@code bias}: which biases of the base are trained; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record MissConfig(CommonConfig common, int rank, double dropout, int miniRank, MissStart initialization,
        Bias bias, ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "MISS";
    /** The word for the biases of the adapted layers. */
    private static final String ADAPTED_ONLY = "MiSS_only";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public MissConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(initialization, "initialization");
        Objects.requireNonNull(bias, "bias");
        Objects.requireNonNull(modules, "modules");
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.require(miniRank > 0, "mini_r is " + miniRank + "; it must be at least 1");
        Targets.requireProbability("miss_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static MissConfigBuilder builder() {
        return new MissConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public MissConfigBuilder toBuilder() {
        return new MissConfigBuilder(this);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public TargetModules targetModules() {
        return modules.targets();
    }

    @Override
    public MissConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static MissConfig read(ConfigReader reader) {
        MissConfigBuilder builder = builder()
                .rank(reader.integer("r", 64, 1))
                .dropout(reader.dropout("miss_dropout", 0))
                .miniRank(reader.integer("mini_r", 1, 1))
                .initialization(MissStart.read(reader))
                .bias(Bias.read(reader, ADAPTED_ONLY));
        builder.modules(Targets.read(reader, true));
        builder.common(reader.common());
        return Targets.checked(reader, builder::build);
    }

    @Override
    public String toJson() {
        ConfigWriter writer = new ConfigWriter(PEFT_TYPE, common)
                .put("r", rank)
                .putDecimal("miss_dropout", dropout)
                .put("mini_r", miniRank)
                .putJson("init_weights", initialization.json())
                .put("bias", bias.json(ADAPTED_ONLY));
        return Targets.write(writer, modules, true).toJson();
    }
}
