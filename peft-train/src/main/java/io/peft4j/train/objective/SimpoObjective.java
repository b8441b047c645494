package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.example.PreferenceExample;
import java.util.Map;
import java.util.function.Function;

/**
 * Simple preference optimization (<a href="https://arxiv.org/abs/2405.14734">2405.14734</a>), which needs no reference:
 * {@code -log sigmoid(beta (m - m') - gamma)}, where m and m' are the mean log-probabilities of a token of the better
 * and of the worse answer. A reward is {@code beta} times the mean.
 */
public final class SimpoObjective extends PreferenceObjective {
    /** The default beta, as in TRL; the paper uses 2 to 10. */
    public static final double BETA = 0.1;
    /** The default margin between the rewards. */
    public static final double GAMMA = 0.5;

    private final double beta;
    private final double gamma;
    private final double smoothing;

    /** The objective for a model, with the defaults. */
    public SimpoObjective(LanguageModel model) {
        this(model, BETA, GAMMA, 0);
    }

    /**
     * The objective for a model.
     *
     * @param beta what differences of mean log-probabilities are multiplied with, above 0; default {@value #BETA}
     * @param gamma by how much the rewards are to differ, 0 or more; default {@value #GAMMA}
     * @param labelSmoothing the share of pairs that is taken to be the wrong way round, as {@link
     *     DpoOptions.Loss#SIGMOID} has it; default 0
     * @throws ConfigurationException when a value is out of range
     */
    public SimpoObjective(LanguageModel model, double beta, double gamma, double labelSmoothing) {
        super(model);
        DpoOptions.requireAboveZero("beta", beta);
        DpoOptions.requireSmoothing(labelSmoothing);
        this.beta = beta;
        this.gamma = requireMargin(gamma);
        this.smoothing = labelSmoothing;
    }

    private static double requireMargin(double gamma) {
        if (gamma >= 0 && gamma < Double.POSITIVE_INFINITY) {
            return gamma;
        }
        throw new ConfigurationException("gamma is " + gamma + "; it must be 0 or more");
    }

    private SimpoObjective(SimpoObjective other, double labelSmoothing) {
        super(other);
        DpoOptions.requireSmoothing(labelSmoothing);
        this.beta = other.beta;
        this.gamma = other.gamma;
        this.smoothing = labelSmoothing;
    }

    @Override
    public SimpoObjective withLabelSmoothing(double share) {
        return new SimpoObjective(this, share);
    }

    @Override
    public String name() {
        return "simpo";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("beta", String.valueOf(beta), "gamma", String.valueOf(gamma), "label_smoothing",
                String.valueOf(smoothing));
    }

    @Override
    double logProbability(AnswerLikelihoods answers, int sequence) {
        return answers.meanLogProbability(sequence);
    }

    @Override
    PairLoss loss(EncodedExample pair, AnswerLikelihoods answers, int chosen) {
        double better = answers.meanLogProbability(chosen);
        double worse = answers.meanLogProbability(chosen + 1);
        double margin = beta * (better - worse) - gamma;
        double loss = (1 - smoothing) * Logistic.negativeLogSigmoid(margin)
                + smoothing * Logistic.negativeLogSigmoid(-margin);
        double byMargin = smoothing * Logistic.sigmoid(margin) - (1 - smoothing) * Logistic.sigmoid(-margin);
        return new PairLoss(loss, beta * byMargin / answers.tokens(chosen),
                -beta * byMargin / answers.tokens(chosen + 1), beta * better, beta * worse);
    }

    /** The objective by its name. */
    public static final class Type extends PairsType {
        private static final ObjectiveOption<Double> SCALE = ObjectiveOption.number("beta", "B",
                "the scale of rewards", SimpoObjective.BETA);
        private static final ObjectiveOption<Double> MARGIN = ObjectiveOption.number("gamma", "G",
                "by how much rewards are to differ", GAMMA);

        /** What is registered. */
        public Type() {
            super("simpo", SCALE, MARGIN, ObjectiveOption.LABEL_SMOOTHING, ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<PreferenceExample>> objective(ObjectiveValues values) {
            double beta = DpoOptions.requireAboveZero("beta", values.get(SCALE));
            double gamma = requireMargin(values.get(MARGIN));
            return model -> new SimpoObjective(model, beta, gamma, 0);
        }
    }
}
