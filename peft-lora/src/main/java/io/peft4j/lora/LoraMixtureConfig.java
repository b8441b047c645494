package io.peft4j.lora;

import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedBuilder;
import io.peft4j.lora.init.LoraInit;

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
@PeftType(value = "LORA_MIXTURE", name = "lora-mixture",
        description = "a mixture of LoRA experts at each target, with a router for each token",
        paper = "https://arxiv.org/abs/2312.09979")
record LoraMixtureConfig(@Group(biasWord = "lora_only") LoraConfig lora,
        @Key(value = "num_experts", fallback = "4") int experts) implements LoraBased {
    /**
     * Checks ranges and combinations.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or LoRA's settings do not go
     *     with experts
     */
    public LoraMixtureConfig {
        Checks.require(experts >= 2, "num_experts is " + experts + "; a mixture has at least 2");
        Checks.require((long) experts * lora.rank() <= Integer.MAX_VALUE, experts + " experts (num_experts) of rank "
                + lora.rank() + " (r) are more than fit in a matrix");
        LoraConfig plain = LoraConfig.builder().common(lora.common()).placement(lora.placement()).bias(Bias.NONE)
                .rank(lora.rank()).alpha(lora.alpha()).dropout(lora.dropout()).rsLora(lora.rsLora())
                .initialization(lora.initialization()).build();
        Checks.require(plain.equals(lora), "a mixture of experts supports LoRA's rank, alpha, dropout, targets, "
                + "use_rslora, modules_to_save and init_lora_weights only");
        Checks.require(LoraConfig.isDrawn(lora.initialization()),
                "a mixture of experts supports init_lora_weights true and false only");
    }

    /** A builder with four experts of LoRA's default rank. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, LoraMixtureConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds a {@link LoraMixtureConfig}, which says what each value means. */
    public interface Builder extends PlacedBuilder<LoraMixtureConfig, Builder> {
        /** What it has in common with LoRA, all at once. */
        Builder lora(LoraConfig value);

        /** How many experts, at least 2; default 4. */
        Builder experts(int value);

        /** The rank of each expert; default 8. */
        Builder rank(int value);

        /** Scales the change by alpha / r; default 8. */
        Builder alpha(double value);

        /** Probability that an element of a layer's input is dropped in training; default 0. */
        Builder dropout(double value);

        /** Whether the change is scaled by alpha / sqrt(r); default false. */
        Builder rsLora(boolean value);

        /** How A and B begin; default {@link LoraInit#KAIMING}. */
        Builder initialization(LoraInit value);
    }
}
