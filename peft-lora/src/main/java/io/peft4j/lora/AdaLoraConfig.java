package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * AdaLoRA (<a href="https://arxiv.org/abs/2303.10512">2303.10512</a>): LoRA in the form of a singular value
 * decomposition, {@code y = x W^T + s * (dropout(x) (E A)^T) B^T}, {@code s = alpha / (init_r + 1e-5)}: E [r, 1] scales
 * the rows of A [r, in], B [out, r]. All layers begin with rank {@code init_r}; in the course of a training the values
 * in E that matter least are set to zero, until {@code target_r} a layer are left on average. A term of the loss,
 * {@code orth_reg_weight} times the mean of {@code |A A^T - I|} and {@code |B^T B - I|} over all layers, keeps rows and
 * columns orthogonal.
 *
 * <p>The budget after update t (from 0) of T: all ranks until {@code tinit}, the target from {@code T - tfinal} on, and
 * between them {@code target + (initial - target) * (1 - (t - tinit) / (T - tfinal - tinit))^3}, applied every
 * {@code deltaT} updates. What matters is a moving average of {@code |value * gradient|} times that of its uncertainty.
 *
 * @param lora what AdaLoRA has in common with LoRA; its rank, patterns, {@code use_rslora} and {@code lora_bias} have
 * no
 *     place here
 * @param targetRank {@code target_r}: ranks that are left a layer, on average; default 8
 * @param initialRank {@code init_r}: ranks of each layer in the beginning; default 12
 * @param warmup {@code tinit}: updates before the first cut; default 0
 * @param finish {@code tfinal}: updates after the last cut; default 0
 * @param interval {@code deltaT}: updates from one cut to the next; default 1
 * @param beta1 {@code beta1}: weight of the past in the average of importance; default 0.85
 * @param beta2 {@code beta2}: weight of the past in the average of uncertainty; default 0.85
 * @param orthogonality {@code orth_reg_weight}: weight of the term of the loss; default 0.5
 * @param totalSteps {@code total_step}: updates that the schedule counts with; default those of the training
 * @param rankPattern {@code rank_pattern}: what was left, once it has been cut
 */
public record AdaLoraConfig(LoraConfig lora, int targetRank, int initialRank, int warmup, int finish, int interval,
        double beta1, double beta2, double orthogonality, OptionalInt totalSteps, Optional<RankPattern> rankPattern)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "ADALORA";

    /**
     * Checks ranges and combinations.
     *
     * @throws ConfigurationException when a value is out of range, or does not go with AdaLoRA
     */
    public AdaLoraConfig {
        Objects.requireNonNull(lora, "lora");
        Objects.requireNonNull(rankPattern, "rankPattern");
        Targets.require(targetRank > 0, "target_r is " + targetRank + "; it must be at least 1");
        Targets.require(initialRank > 0, "init_r is " + initialRank + "; it must be at least 1");
        Targets.require(warmup >= 0 && finish >= 0 && interval > 0, "tinit " + warmup + ", tfinal " + finish
                + " and deltaT " + interval + " must be at least 0, 0 and 1");
        Targets.require(beta1 > 0 && beta1 < 1 && beta2 > 0 && beta2 < 1, "beta1 " + beta1 + " and beta2 " + beta2
                + " must be between 0 and 1");
        Targets.require(orthogonality >= 0 && Double.isFinite(orthogonality), "orth_reg_weight is " + orthogonality
                + "; it must be at least 0");
        Targets.require(lora.alpha() > 0, "alpha (lora_alpha) is " + lora.alpha() + "; it must be above 0");
        Targets.require(!lora.dora() && !lora.loraBias() && lora.alphaPattern().isEmpty()
                && lora.rankPattern().isEmpty(), "AdaLoRA does not work with use_dora, lora_bias or patterns by hand");
        Targets.require(lora.invocationTokens().isEmpty(), "AdaLoRA does not work with alora_invocation_tokens");
        Targets.require(lora.initialization() == Initialization.KAIMING
                || lora.initialization() == Initialization.RANDOM,
                "AdaLoRA begins with init_lora_weights true or false");
        Targets.require(!lora.ensureWeightTying(), "AdaLoRA does not work with ensure_weight_tying");
        if (totalSteps.isPresent()) {
            checkSchedule(totalSteps.getAsInt(), warmup, finish);
        }
    }

    static void checkSchedule(long total, int warmup, int finish) {
        Targets.require(total > 0 && warmup < total - finish, "of " + total + " updates (total_step), tinit " + warmup
                + " and tfinal " + finish + " leave none to cut ranks in; give smaller ones");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static AdaLoraConfigBuilder builder() {
        return new AdaLoraConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public AdaLoraConfigBuilder toBuilder() {
        return new AdaLoraConfigBuilder(this);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public CommonConfig common() {
        return lora.common();
    }

    @Override
    public TargetModules targetModules() {
        return lora.targetModules();
    }

    @Override
    public AdaLoraConfig withCommon(CommonConfig other) {
        return toBuilder().lora(lora.withCommon(other)).build();
    }

    @Override
    public BaseLanguageModel modelOn(BaseLanguageModel base) {
        return lora.modelOn(base);
    }

    static AdaLoraConfig read(ConfigReader reader) {
        LoraConfigBuilder lora = LoraConfigJson.keys(reader);
        AdaLoraConfigBuilder builder = builder()
                .targetRank(reader.integer("target_r", 8, 1))
                .initialRank(reader.integer("init_r", 12, 1))
                .warmup(reader.integer("tinit", 0, 0))
                .finish(reader.integer("tfinal", 0, 0))
                .interval(reader.integer("deltaT", 1, 1))
                .beta1(reader.number("beta1", 0.85))
                .beta2(reader.number("beta2", 0.85))
                .orthogonality(reader.number("orth_reg_weight", 0.5));
        int total = reader.integer("total_step", 0, 0);
        if (total > 0) {
            builder.totalSteps(total);
        }
        RankPattern.read(reader).ifPresent(builder::rankPattern);
        lora.common(reader.common());
        return Targets.checked(reader, () -> builder.lora(lora.build()).build());
    }

    @Override
    public String toJson() {
        ConfigWriter writer = LoraConfigJson.write(new ConfigWriter(PEFT_TYPE, common()), lora)
                .put("target_r", targetRank)
                .put("init_r", initialRank)
                .put("tinit", warmup)
                .put("tfinal", finish)
                .put("deltaT", interval)
                .putDecimal("beta1", beta1)
                .putDecimal("beta2", beta2)
                .putDecimal("orth_reg_weight", orthogonality);
        if (totalSteps.isPresent()) {
            writer.put("total_step", totalSteps.getAsInt());
        } else {
            writer.putNull("total_step");
        }
        return (rankPattern.isPresent() ? rankPattern.get().write(writer)
                : writer.putNull("rank_pattern")).toJson();
    }
}
