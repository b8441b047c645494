package io.peft4j.lora;

import io.peft4j.core.peft.Bias;

/** Builds a {@link VeraConfig}, which says what each value means. */
public final class VeraConfigBuilder extends TargetedConfigBuilder<VeraConfigBuilder> {
    private int rank = 256;
    private double dropout;
    private double dInitial = 0.1;
    private boolean initWeights = true;
    private boolean saveProjection = true;
    private long projectionSeed = 0;
    private Bias bias = Bias.NONE;

    VeraConfigBuilder() {
    }

    VeraConfigBuilder(VeraConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        dropout = config.dropout();
        dInitial = config.dInitial();
        initWeights = config.initWeights();
        saveProjection = config.saveProjection();
        projectionSeed = config.projectionSeed();
        bias = config.bias();
    }

    /** The rank; default 256. */
    public VeraConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Probability that an element of x is dropped in training; default 0. */
    public VeraConfigBuilder dropout(double value) {
        dropout = value;
        return this;
    }

    /** First value of d; default 0.1. */
    public VeraConfigBuilder dInitial(double value) {
        dInitial = value;
        return this;
    }

    /** Whether the model begins as the base, with b = 0; otherwise b = 1 and d is normal; default true. */
    public VeraConfigBuilder initWeights(boolean value) {
        initWeights = value;
        return this;
    }

    /**
     * Whether the random matrices are stored with the adapter; default true, and false is refused: no other library
     * draws the same numbers from a seed as PyTorch does.
     */
    public VeraConfigBuilder saveProjection(boolean value) {
        saveProjection = value;
        return this;
    }

    /** Seed of the random matrices in Hugging Face PEFT; kept, the matrices are read from the file; default 0. */
    public VeraConfigBuilder projectionSeed(long value) {
        projectionSeed = value;
        return this;
    }

    /** Which biases of the base are trained; default none. */
    public VeraConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    @Override
    VeraConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public VeraConfig build() {
        return new VeraConfig( common(), rank, dropout, dInitial, initWeights, saveProjection, projectionSeed, bias,
                modules());
    }
}
