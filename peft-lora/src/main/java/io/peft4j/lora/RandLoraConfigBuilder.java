package io.peft4j.lora;

import io.peft4j.core.peft.Bias;

/** Builds a {@link RandLoraConfig}, which says what each value means. */
public final class RandLoraConfigBuilder extends TargetedConfigBuilder<RandLoraConfigBuilder> {
    private int rank = 32;
    private double alpha = 640;
    private double dropout;
    private boolean initWeights = true;
    private boolean sparse;
    private boolean verySparse;
    private boolean saveProjection = true;
    private long projectionSeed = 0;
    private Bias bias = Bias.NONE;

    RandLoraConfigBuilder() {
    }

    RandLoraConfigBuilder(RandLoraConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        alpha = config.alpha();
        dropout = config.dropout();
        initWeights = config.initWeights();
        sparse = config.sparse();
        verySparse = config.verySparse();
        saveProjection = config.saveProjection();
        projectionSeed = config.projectionSeed();
        bias = config.bias();
    }

    /** The rank of each product; default 32. */
    public RandLoraConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Scales the change by alpha / r; default 640. */
    public RandLoraConfigBuilder alpha(double value) {
        alpha = value;
        return this;
    }

    /** Probability that an element of x is dropped in training; default 0. */
    public RandLoraConfigBuilder dropout(double value) {
        dropout = value;
        return this;
    }

    /** Whether the model begins as the base, with lambda = 0; otherwise lambda is normal; default true. */
    public RandLoraConfigBuilder initWeights(boolean value) {
        initWeights = value;
        return this;
    }

    /** Whether the random matrices hold -1, 0 and 1, a sixth of them each sign; default false. */
    public RandLoraConfigBuilder sparse(boolean value) {
        sparse = value;
        return this;
    }

    /** Whether they hold fewer still, 1 / (2 sqrt(min)) each sign; default false. */
    public RandLoraConfigBuilder verySparse(boolean value) {
        verySparse = value;
        return this;
    }

    /**
     * Whether the random matrices are stored with the adapter; default true, and false is refused: no other library
     * draws the same numbers from a seed as PyTorch does.
     */
    public RandLoraConfigBuilder saveProjection(boolean value) {
        saveProjection = value;
        return this;
    }

    /** Seed of the random matrices in Hugging Face PEFT; kept, the matrices are read from the file; default 0. */
    public RandLoraConfigBuilder projectionSeed(long value) {
        projectionSeed = value;
        return this;
    }

    /** Which biases of the base are trained; default none. */
    public RandLoraConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    @Override
    RandLoraConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public RandLoraConfig build() {
        return new RandLoraConfig( common(), rank, alpha, dropout, initWeights, sparse, verySparse, saveProjection,
                projectionSeed, bias, modules());
    }
}
