package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * A mixture of LoRA experts with a learned gate (LoRAMoE, <a href="https://arxiv.org/abs/2312.09979">2312.09979</a>,
 * without its term that balances the experts): {@code y = x W^T + s * sum_i g_i (dropout(x) A_i^T) B_i^T},
 * {@code g = softmax(x G^T)}: for each token the gate G [k, in] chooses how much of each of k experts A_i [r, in],
 * B_i [out, r] is added; {@code s = alpha / r}, or {@code alpha / sqrt(r)} with {@code use_rslora}. A layer gets
 * {@code k * r * (in + out) + k * in} trainable parameters.
 *
 * <p>Hugging Face PEFT has no such method: its X-LoRA gates whole adapters by a first pass through the model.
 *
 * @param lora what it has in common with LoRA, with LoRA's keys; patterns, {@code bias}, {@code lora_bias}, {@code
 *     use_dora} and {@code alora_invocation_tokens} have no place here
 * @param experts {@code num_experts}: k; default 4
 */
public record LoraMixtureConfig(LoraConfig lora, int experts) implements PeftConfig {
    static final String PEFT_TYPE = "LORA_MIXTURE";

    /**
     * Checks ranges and combinations.
     *
     * @throws ConfigurationException when a value is out of range, or LoRA's settings do not go with experts
     */
    public LoraMixtureConfig {
        Objects.requireNonNull(lora, "lora");
        Targets.require(experts >= 2, "num_experts is " + experts + "; a mixture has at least 2");
        Targets.require((long) experts * lora.rank() <= Integer.MAX_VALUE, experts + " experts (num_experts) of rank "
                + lora.rank() + " (r) are more than fit in a matrix");
        LoraConfig plain = LoraConfig.builder().common(lora.common()).rank(lora.rank()).alpha(lora.alpha())
                .dropout(lora.dropout()).targetModules(lora.targetModules()).excludeModules(lora.excludeModules())
                .layersToTransform(lora.layersToTransform()).layersPattern(lora.layersPattern())
                .modulesToSave(lora.modulesToSave()).rsLora(lora.rsLora()).initialization(lora.initialization())
                .build();
        Targets.require(plain.equals(lora), "a mixture of experts has LoRA's rank, alpha, dropout, targets, "
                + "use_rslora, modules_to_save and init_lora_weights, and none of its other settings");
        Targets.require(lora.initialization() == Initialization.KAIMING
                || lora.initialization() == Initialization.RANDOM,
                "a mixture of experts begins with init_lora_weights true or false");
    }

    /** Four experts of LoRA's default rank at the default targets. */
    public static LoraMixtureConfig defaults() {
        return new LoraMixtureConfig(LoraConfig.builder().build(), 4);
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
    public LoraMixtureConfig withCommon(CommonConfig other) {
        return new LoraMixtureConfig(lora.withCommon(other), experts);
    }

    static LoraMixtureConfig read(ConfigReader reader) {
        LoraConfigBuilder lora = LoraConfigJson.keys(reader).rankPattern(reader.integers("rank_pattern"));
        int experts = reader.integer("num_experts", 4, 2);
        lora.common(reader.common());
        return Targets.checked(reader, () -> new LoraMixtureConfig(lora.build(), experts));
    }

    @Override
    public String toJson() {
        return LoraConfigJson.write(new ConfigWriter(PEFT_TYPE, common()), lora)
                .put("rank_pattern", lora.rankPattern()).put("num_experts", experts).toJson();
    }
}
