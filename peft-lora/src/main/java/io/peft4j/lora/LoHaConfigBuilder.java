package io.peft4j.lora;

import java.util.Map;

/** Builds a {@link LoHaConfig}, which says what each value means. */
public final class LoHaConfigBuilder extends TargetedConfigBuilder<LoHaConfigBuilder> {
    private int rank = 8;
    private double alpha = 8;
    private double rankDropout;
    private double moduleDropout;
    private boolean initWeights = true;
    private Map<String, Integer> rankPattern = Map.of();
    private Map<String, Double> alphaPattern = Map.of();

    LoHaConfigBuilder() {
    }

    LoHaConfigBuilder(LoHaConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        alpha = config.alpha();
        rankDropout = config.rankDropout();
        moduleDropout = config.moduleDropout();
        initWeights = config.initWeights();
        rankPattern = config.rankPattern();
        alphaPattern = config.alphaPattern();
    }

    /** The rank; default 8. */
    public LoHaConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Scales the change by alpha / r; default 8. */
    public LoHaConfigBuilder alpha(double value) {
        alpha = value;
        return this;
    }

    /** Probability that an output feature of the change is left out in training; default 0. */
    public LoHaConfigBuilder rankDropout(double value) {
        rankDropout = value;
        return this;
    }

    /** Probability that the change of a layer is left out in training; default 0. */
    public LoHaConfigBuilder moduleDropout(double value) {
        moduleDropout = value;
        return this;
    }

    /** Whether the model begins as the base; default true. */
    public LoHaConfigBuilder initWeights(boolean value) {
        initWeights = value;
        return this;
    }

    /** Other ranks by expression, in an order as that of {@link LoraConfigBuilder#rankPattern}; default none. */
    public LoHaConfigBuilder rankPattern(Map<String, Integer> value) {
        rankPattern = value;
        return this;
    }

    /** Other alphas by expression, in an order as that of {@link #rankPattern}; default none. */
    public LoHaConfigBuilder alphaPattern(Map<String, Double> value) {
        alphaPattern = value;
        return this;
    }

    @Override
    LoHaConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public LoHaConfig build() {
        return new LoHaConfig( common(), rank, alpha, rankDropout, moduleDropout, initWeights, rankPattern,
                alphaPattern, modules());
    }
}
