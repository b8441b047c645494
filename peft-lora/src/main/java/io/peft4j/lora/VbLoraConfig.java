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
 * VB-LoRA (<a href="https://arxiv.org/abs/2405.15179">2405.15179</a>): LoRA whose A [r, in] and B [out, r] are put
 * together from parts of length b, and each part is a mixture of the k vectors of a bank [h, b], shared by all layers,
 * that its logits prefer: {@code y = x W^T + (dropout(x) A^T) B^T}. A layer trains {@code r * (in + out) / b * h}
 * logits; the bank adds {@code h * b}.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: the rank; default 4
 * @param vectors {@code num_vectors}: vectors in the bank; default 256
 * @param vectorLength {@code vector_length}: length of a vector; it must divide in and out of every target; default
 *     256
 * @param topK {@code topk}: vectors that a part is mixed of; default 2
 * @param dropout {@code vblora_dropout}: probability that an element of x is dropped in training; default 0
 * @param bankBound {@code init_vector_bank_bound}: the bank begins uniform between this and its negative; default
 *     0.02
 * @param logitsDeviation {@code init_logits_std}: the logits begin normal with this deviation; default 0.1
 * @param bias {@code bias}: which biases of the base are trained; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record VbLoraConfig(CommonConfig common, int rank, int vectors, int vectorLength, int topK, double dropout,
        double bankBound, double logitsDeviation, Bias bias, ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "VBLORA";
    /** The word for the biases of the adapted layers. */
    private static final String ADAPTED_ONLY = "vblora_only";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public VbLoraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(bias, "bias");
        Objects.requireNonNull(modules, "modules");
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.require(vectorLength > 0, "vector_length is " + vectorLength + "; it must be at least 1");
        Targets.require(topK > 0 && topK <= vectors, "topk is " + topK
                + "; it must be from 1 to num_vectors, " + vectors);
        Targets.requireProbability("vblora_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static VbLoraConfigBuilder builder() {
        return new VbLoraConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public VbLoraConfigBuilder toBuilder() {
        return new VbLoraConfigBuilder(this);
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
    public VbLoraConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static VbLoraConfig read(ConfigReader reader) {
        VbLoraConfigBuilder builder = builder()
                .rank(reader.integer("r", 4, 1))
                .vectors(reader.integer("num_vectors", 256, 1))
                .vectorLength(reader.integer("vector_length", 256, 1))
                .topK(reader.integer("topk", 2, 1))
                .dropout(reader.dropout("vblora_dropout", 0))
                .bankBound(reader.number("init_vector_bank_bound", 0.02))
                .logitsDeviation(reader.number("init_logits_std", 0.1))
                .bias(Bias.read(reader, ADAPTED_ONLY));
        builder.modules(Targets.read(reader, true));
        reader.ignore("fan_in_fan_out");
        reader.requireOff("save_only_topk_weights", "storing the preferred vectors alone, which cannot be trained on,");
        builder.common(reader.common());
        return Targets.checked(reader, builder::build);
    }

    @Override
    public String toJson() {
        ConfigWriter writer = new ConfigWriter(PEFT_TYPE, common)
                .put("r", rank)
                .put("num_vectors", vectors)
                .put("vector_length", vectorLength)
                .put("topk", topK)
                .putDecimal("vblora_dropout", dropout)
                .putDecimal("init_vector_bank_bound", bankBound)
                .putDecimal("init_logits_std", logitsDeviation)
                .put("bias", bias.json(ADAPTED_ONLY));
        writer.putDefault("fan_in_fan_out", "false");
        writer.putDefault("save_only_topk_weights", "false");
        return Targets.write(writer, modules, true).toJson();
    }
}
