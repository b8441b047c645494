package io.peft4j.lora;

import io.peft4j.core.peft.Bias;

/** Builds a {@link MissConfig}, which says what each value means. */
public final class MissConfigBuilder extends TargetedConfigBuilder<MissConfigBuilder> {
    private int rank = 64;
    private double dropout;
    private int miniRank = 1;
    private MissStart initialization = MissStart.ZERO;
    private Bias bias = Bias.NONE;

    MissConfigBuilder() {
    }

    MissConfigBuilder(MissConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        dropout = config.dropout();
        miniRank = config.miniRank();
        initialization = config.initialization();
        bias = config.bias();
    }

    /** Inputs of a piece, at most those of the smallest target; default 64. */
    public MissConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Probability that an element of x is dropped in training; default 0. */
    public MissConfigBuilder dropout(double value) {
        dropout = value;
        return this;
    }

    /** Outputs of the block of {@link MissStart#MINI}; they must divide out; default 1. */
    public MissConfigBuilder miniRank(int value) {
        miniRank = value;
        return this;
    }

    /** Which form, and how the block begins; default {@link MissStart#ZERO}. */
    public MissConfigBuilder initialization(MissStart value) {
        initialization = value;
        return this;
    }

    /** Which biases of the base are trained; default none. */
    public MissConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    @Override
    MissConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public MissConfig build() {
        return new MissConfig( common(), rank, dropout, miniRank, initialization, bias, modules());
    }
}
