package io.peft4j.lora;

import java.util.Map;

/** Builds a {@link LoKrConfig}, which says what each value means. */
public final class LoKrConfigBuilder extends TargetedConfigBuilder<LoKrConfigBuilder> {
    private int rank = 8;
    private double alpha = 8;
    private double rankDropout;
    private double moduleDropout;
    private LoKrStart initialization = LoKrStart.ZERO_W1;
    private boolean decomposeBoth;
    private int decomposeFactor = -1;
    private boolean rankDropoutScale;
    private Map<String, Integer> rankPattern = Map.of();
    private Map<String, Double> alphaPattern = Map.of();

    LoKrConfigBuilder() {
    }

    LoKrConfigBuilder(LoKrConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        alpha = config.alpha();
        rankDropout = config.rankDropout();
        moduleDropout = config.moduleDropout();
        initialization = config.initialization();
        decomposeBoth = config.decomposeBoth();
        decomposeFactor = config.decomposeFactor();
        rankDropoutScale = config.rankDropoutScale();
        rankPattern = config.rankPattern();
        alphaPattern = config.alphaPattern();
    }

    /** The rank; default 8. */
    public LoKrConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Scales the change by alpha / r; default 8. */
    public LoKrConfigBuilder alpha(double value) {
        alpha = value;
        return this;
    }

    /** Probability that an output feature of the change is left out in training; default 0. */
    public LoKrConfigBuilder rankDropout(double value) {
        rankDropout = value;
        return this;
    }

    /** Probability that the change of a layer is left out in training; default 0. */
    public LoKrConfigBuilder moduleDropout(double value) {
        moduleDropout = value;
        return this;
    }

    /** How the factors begin; default {@link LoKrStart#ZERO_W1}. */
    public LoKrConfigBuilder initialization(LoKrStart value) {
        initialization = value;
        return this;
    }

    /** Whether W1 too is kept as a product of rank r where that is smaller; default false. */
    public LoKrConfigBuilder decomposeBoth(boolean value) {
        decomposeBoth = value;
        return this;
    }

    /** Wanted size of the smaller factors a and c; -1, the default, means near the square root. */
    public LoKrConfigBuilder decomposeFactor(int value) {
        decomposeFactor = value;
        return this;
    }

    /** Whether what rank dropout leaves is scaled up to the same mean; default false. */
    public LoKrConfigBuilder rankDropoutScale(boolean value) {
        rankDropoutScale = value;
        return this;
    }

    /** Other ranks by expression, in an order as that of {@link LoraConfigBuilder#rankPattern}; default none. */
    public LoKrConfigBuilder rankPattern(Map<String, Integer> value) {
        rankPattern = value;
        return this;
    }

    /** Other alphas by expression, in an order as that of {@link #rankPattern}; default none. */
    public LoKrConfigBuilder alphaPattern(Map<String, Double> value) {
        alphaPattern = value;
        return this;
    }

    @Override
    LoKrConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public LoKrConfig build() {
        return new LoKrConfig( common(), rank, alpha, rankDropout, moduleDropout, initialization, decomposeBoth,
                decomposeFactor, rankDropoutScale, rankPattern, alphaPattern, modules());
    }
}
