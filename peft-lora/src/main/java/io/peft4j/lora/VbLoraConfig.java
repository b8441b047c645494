package io.peft4j.lora;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;

/**
 * VB-LoRA (<a href="https://arxiv.org/abs/2405.15179">2405.15179</a>): LoRA whose A [r, in] and B [out, r] are put
 * together from parts of length b, and each part is a mixture of the k vectors of a bank [h, b], shared by all layers,
 * that its logits prefer: {@code y = x W^T + (dropout(x) A^T) B^T}. A layer trains {@code r * (in + out) / b * h}
 * logits; the bank adds {@code h * b}.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which layers are adapted, and what is trained as a whole beside them; default what the architecture
 *     has ({@code q_proj} and {@code v_proj} for Llama)
 * @param rank {@code r}: the rank; default 4
 * @param vectors {@code num_vectors}: vectors in the bank; default 256
 * @param vectorLength {@code vector_length}: length of a vector; it must divide in and out of every target; default
 *     256
 * @param topK {@code topk}: vectors that a part is mixed of; default 2
 * @param dropout {@code vblora_dropout}: probability that an element of x is dropped in training; default 0
 * @param bankBound {@code init_vector_bank_bound}: the bank begins uniform between this and its negative; default
 *     0.02
 * @param logitsDeviation {@code init_logits_std}: the logits begin normal with this deviation; default 0.1
 */
@PeftType(value = "VBLORA", name = "vblora",
        description = "low-rank matrices composed of sub-vectors from a bank shared by all targets",
        paper = "https://arxiv.org/abs/2405.15179", autoRateFactor = 10)
@UnusedKey(value = "fan_in_fan_out", fallback = "false")
@UnusedKey(value = "save_only_topk_weights", fallback = "false",
        feature = "storing the preferred vectors alone, which cannot be trained on,")
public record VbLoraConfig(CommonConfig common, @Group(biasWord = "vblora_only") Placement placement,
        @Key(value = "r", fallback = "4") int rank, @Key(value = "num_vectors", fallback = "256") int vectors,
        @Key(value = "vector_length", fallback = "256") int vectorLength,
        @Key(value = "topk", fallback = "2") int topK, @Key("vblora_dropout") double dropout,
        @Key(value = "init_vector_bank_bound", fallback = "0.02") double bankBound,
        @Key(value = "init_logits_std", fallback = "0.1") double logitsDeviation) implements PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public VbLoraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "num_vectors", vectors);
        Checks.atLeast(1, "vector_length", vectorLength);
        Checks.require(topK > 0 && topK <= vectors, "topk is " + topK
                + "; it must be from 1 to num_vectors, " + vectors);
        Checks.probability("vblora_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static VbLoraConfigBuilder builder() {
        return ConfigBuilder.of(VbLoraConfigBuilder.class, VbLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public VbLoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(VbLoraConfigBuilder.class, this);
    }
}
