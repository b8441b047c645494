package io.peft4j.lora;

import io.peft4j.core.peft.Bias;

/** Builds a {@link VbLoraConfig}, which says what each value means. */
public final class VbLoraConfigBuilder extends TargetedConfigBuilder<VbLoraConfigBuilder> {
    private int rank = 4;
    private int vectors = 256;
    private int vectorLength = 256;
    private int topK = 2;
    private double dropout;
    private double bankBound = 0.02;
    private double logitsDeviation = 0.1;
    private Bias bias = Bias.NONE;

    VbLoraConfigBuilder() {
    }

    VbLoraConfigBuilder(VbLoraConfig config) {
        super(config.common(), config.modules());
        rank = config.rank();
        vectors = config.vectors();
        vectorLength = config.vectorLength();
        topK = config.topK();
        dropout = config.dropout();
        bankBound = config.bankBound();
        logitsDeviation = config.logitsDeviation();
        bias = config.bias();
    }

    /** The rank; default 4. */
    public VbLoraConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Vectors in the bank; default 256. */
    public VbLoraConfigBuilder vectors(int value) {
        vectors = value;
        return this;
    }

    /** Length of a vector; it must divide in and out of every target; default 256. */
    public VbLoraConfigBuilder vectorLength(int value) {
        vectorLength = value;
        return this;
    }

    /** Vectors that a part is mixed of; default 2. */
    public VbLoraConfigBuilder topK(int value) {
        topK = value;
        return this;
    }

    /** Probability that an element of x is dropped in training; default 0. */
    public VbLoraConfigBuilder dropout(double value) {
        dropout = value;
        return this;
    }

    /** The bank begins uniform between this and its negative; default 0.02. */
    public VbLoraConfigBuilder bankBound(double value) {
        bankBound = value;
        return this;
    }

    /** The logits begin normal with this deviation; default 0.1. */
    public VbLoraConfigBuilder logitsDeviation(double value) {
        logitsDeviation = value;
        return this;
    }

    /** Which biases of the base are trained; default none. */
    public VbLoraConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    @Override
    VbLoraConfigBuilder self() {
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public VbLoraConfig build() {
        return new VbLoraConfig( common(), rank, vectors, vectorLength, topK, dropout, bankBound, logitsDeviation,
                bias, modules());
    }
}
