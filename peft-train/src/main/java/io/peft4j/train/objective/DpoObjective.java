package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.example.PreferenceExample;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Direct preference optimization (<a href="https://arxiv.org/abs/2305.18290">2305.18290</a>): the better answer's
 * log-probability is to rise over that of a reference model, compared with the worse one's.
 *
 * <pre>{@code
 * Trainer.builder(model).learningRate(5e-5).build()
 *         .train(new DpoObjective(model), PreferenceRows.pairs(Path.of("preferences.jsonl")));
 * }</pre>
 *
 * <p>The reference's log-probabilities are computed once, before the first update, and kept with the checkpoints. Where
 * the model begins as its reference, the first loss is ln 2 (of {@link DpoOptions.Loss#IPO} {@code 1 / (4 beta^2)}). A
 * reward is {@code beta} times the log-probability over the reference's.
 */
public final class DpoObjective extends PreferenceObjective {
    private final DpoOptions options;

    /** The objective for a model, with the defaults. */
    public DpoObjective(LanguageModel model) {
        this(model, DpoOptions.defaults());
    }

    /**
     * The objective for a model.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model is none that predicts
     *     the next token
     */
    public DpoObjective(LanguageModel model, DpoOptions options) {
        super(model);
        this.options = Objects.requireNonNull(options, "options");
    }

    private DpoObjective(DpoObjective other, DpoOptions options) {
        super(other);
        this.options = options;
    }

    @Override
    public DpoObjective withLabelSmoothing(double share) {
        return new DpoObjective(this, options.withLabelSmoothing(share));
    }

    @Override
    public String name() {
        return "dpo";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("beta", String.valueOf(options.beta()), "loss", options.loss().toString(), "label_smoothing",
                String.valueOf(options.labelSmoothing()), "reference", options.reference().toString());
    }

    @Override
    public int referenceValues() {
        return 2;
    }

    @Override
    public float[][] reference(Passes passes, List<EncodedExample> batch) {
        float[] values = options.reference().logProbabilities(passes, EncodedExample.sequences(batch));
        float[][] pairs = new float[batch.size()][];
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = new float[] {values[2 * i], values[2 * i + 1]};
        }
        return pairs;
    }

    @Override
    PairLoss loss(EncodedExample pair, AnswerLikelihoods answers, int chosen) {
        double better = (double) answers.logProbability(chosen) - pair.targets()[0];
        double worse = (double) answers.logProbability(chosen + 1) - pair.targets()[1];
        double beta = options.beta();
        if (options.loss() == DpoOptions.Loss.IPO) {
            int tokens = answers.tokens(chosen);
            int others = answers.tokens(chosen + 1);
            double distance = better / tokens - worse / others - 1 / (2 * beta);
            return new PairLoss(distance * distance, 2 * distance / tokens, -2 * distance / others, beta * better,
                    beta * worse);
        }
        double margin = beta * (better - worse);
        double smoothing = options.labelSmoothing();
        boolean robust = options.loss() == DpoOptions.Loss.ROBUST;
        double right = (1 - smoothing) / (robust ? 1 - 2 * smoothing : 1);
        double wrong = robust ? -smoothing / (1 - 2 * smoothing) : smoothing;
        double loss = right * Logistic.negativeLogSigmoid(margin) + wrong * Logistic.negativeLogSigmoid(-margin);
        double byMargin = wrong * Logistic.sigmoid(margin) - right * Logistic.sigmoid(-margin);
        return new PairLoss(loss, beta * byMargin, -beta * byMargin, beta * better, beta * worse);
    }

    /** The objective by its name. */
    public static final class Type extends PairsType {
        private static final ObjectiveOption<String> LOSS = ObjectiveOption.word("loss", "sigmoid|ipo|robust",
                "the form of the loss", "sigmoid");

        /** What is registered. */
        public Type() {
            super("dpo", BETA, LOSS, REFERENCE, ObjectiveOption.LABEL_SMOOTHING, ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<PreferenceExample>> objective(ObjectiveValues values) {
            DpoOptions options = new DpoOptions(values.get(BETA), DpoOptions.Loss.named(values.get(LOSS)), 0,
                    Reference.named(values.get(REFERENCE)));
            return model -> new DpoObjective(model, options);
        }
    }
}
