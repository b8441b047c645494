package io.peft4j.lora;

import java.util.Optional;
import java.util.OptionalInt;

/** Builds an {@link AdaLoraConfig}, which says what each value means. */
public final class AdaLoraConfigBuilder {
    private LoraConfig lora = LoraConfig.builder().build();
    private int targetRank = 8;
    private int initialRank = 12;
    private int warmup;
    private int finish;
    private int interval = 1;
    private double beta1 = 0.85;
    private double beta2 = 0.85;
    private double orthogonality = 0.5;
    private OptionalInt totalSteps = OptionalInt.empty();
    private Optional<RankPattern> rankPattern = Optional.empty();

    AdaLoraConfigBuilder() {
    }

    AdaLoraConfigBuilder(AdaLoraConfig config) {
        lora = config.lora();
        targetRank = config.targetRank();
        initialRank = config.initialRank();
        warmup = config.warmup();
        finish = config.finish();
        interval = config.interval();
        beta1 = config.beta1();
        beta2 = config.beta2();
        orthogonality = config.orthogonality();
        totalSteps = config.totalSteps();
        rankPattern = config.rankPattern();
    }

    /** What AdaLoRA has in common with LoRA: targets, alpha, dropout and biases; its rank has no effect. */
    public AdaLoraConfigBuilder lora(LoraConfig value) {
        lora = value;
        return this;
    }

    /** Which layers are adapted, by name. */
    public AdaLoraConfigBuilder targetModules(String... names) {
        return lora(lora.toBuilder().targetModules(names).build());
    }

    /** Ranks that are left a layer, on average; default 8. */
    public AdaLoraConfigBuilder targetRank(int value) {
        targetRank = value;
        return this;
    }

    /** Ranks of each layer in the beginning; default 12. */
    public AdaLoraConfigBuilder initialRank(int value) {
        initialRank = value;
        return this;
    }

    /** Updates before the first cut; default 0. */
    public AdaLoraConfigBuilder warmup(int value) {
        warmup = value;
        return this;
    }

    /** Updates after the last cut; default 0. */
    public AdaLoraConfigBuilder finish(int value) {
        finish = value;
        return this;
    }

    /** Updates from one cut to the next; default 1. */
    public AdaLoraConfigBuilder interval(int value) {
        interval = value;
        return this;
    }

    /** Weight of the past in the average of importance; default 0.85. */
    public AdaLoraConfigBuilder beta1(double value) {
        beta1 = value;
        return this;
    }

    /** Weight of the past in the average of uncertainty; default 0.85. */
    public AdaLoraConfigBuilder beta2(double value) {
        beta2 = value;
        return this;
    }

    /** Weight of the term that keeps rows and columns orthogonal; default 0.5. */
    public AdaLoraConfigBuilder orthogonality(double value) {
        orthogonality = value;
        return this;
    }

    /** Updates that the schedule counts with; default those of the training. */
    public AdaLoraConfigBuilder totalSteps(int value) {
        totalSteps = OptionalInt.of(value);
        return this;
    }

    AdaLoraConfigBuilder allRanks() {
        rankPattern = Optional.empty();
        return this;
    }

    /** The ranks that are left. */
    public AdaLoraConfigBuilder rankPattern(RankPattern value) {
        rankPattern = Optional.of(value);
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or does not go with AdaLoRA
     */
    public AdaLoraConfig build() {
        return new AdaLoraConfig(lora, targetRank, initialRank, warmup, finish, interval, beta1, beta2, orthogonality,
                totalSteps, rankPattern);
    }
}
