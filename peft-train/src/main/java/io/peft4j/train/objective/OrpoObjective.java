package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.PreferenceEncoder;
import io.peft4j.data.example.PreferenceExample;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Odds ratio preference optimization (<a href="https://arxiv.org/abs/2403.07691">2403.07691</a>), which learns answers
 * and preferences at once and needs no reference: the mean negative log-likelihood of all tokens of prompt and better
 * answer in the batch, plus {@code -beta log sigmoid(log(odds / odds'))} for each pair. The odds of an answer are
 * {@code p / (1 - p)}, where p is the geometric mean of its tokens' probabilities. A reward is {@code beta log p}.
 *
 * <p>Measured as for all preferences, and {@code nll_loss}, the likelihood term.
 */
public final class OrpoObjective extends PreferenceObjective {
    /** The default weight of the odds ratio, lambda in the paper. */
    public static final double BETA = 0.1;

    private final double beta;

    /** The objective for a model, with the default weight. */
    public OrpoObjective(LanguageModel model) {
        this(model, BETA);
    }

    /**
     * The objective for a model.
     *
     * @param beta the weight of the odds ratio, above 0; default {@value #BETA}
     * @throws io.peft4j.core.error.ConfigurationException when it is not above 0
     */
    public OrpoObjective(LanguageModel model, double beta) {
        super(model);
        DpoOptions.requireAboveZero("beta", beta);
        this.beta = beta;
    }

    @Override
    public String name() {
        return "orpo";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("beta", String.valueOf(beta));
    }

    /** The better answer's prompt is predicted, too; the targets say which of its predicted tokens are the answer's. */
    @Override
    EncodedExample encoded(PreferenceEncoder.Pair pair) {
        TokenSequence preferred = pair.preferred();
        int length = preferred.length();
        while (preferred.weights()[length - 1] == 0) {
            length--;
        }
        int[] ids = Arrays.copyOf(preferred.ids(), length);
        float[] ofAnswer = new float[length - 1];
        for (int i = 0; i < ofAnswer.length; i++) {
            ofAnswer[i] = preferred.weights()[i + 1] == 0 ? 0 : 1;
        }
        return new EncodedExample(List.of(TokenSequence.allSupervised(ids)
                .inTask(preferred.task()), pair.rejected()), ofAnswer, 1,
                preferred.supervisedTokens() + pair.rejected().supervisedTokens());
    }

    @Override
    double loss(Passes passes, List<EncodedExample> batch, PackedBatch.Targets targets, float[] nll,
            float[] gradient) {
        boolean[] prompt = new boolean[nll.length];
        int all = 0;
        int next = 0;
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            for (float ofAnswer : batch.get(i).targets()) {
                sum += nll[next];
                prompt[next++] = ofAnswer == 0;
                all++;
            }
            next += batch.get(i).sequences().get(1).supervisedTokens();
        }
        double mean = sum / all;
        passes.measure("nll_loss", mean, 1);
        double pairs = loss(passes, batch, new AnswerLikelihoods(targets, i -> !prompt[i], nll, gradient));
        float share = (float) ((double) batch.size() / all);
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] += targets.sequences()[i] % 2 == 0 ? share : 0;
        }
        return pairs + batch.size() * mean;
    }

    @Override
    double logProbability(AnswerLikelihoods answers, int sequence) {
        return answers.meanLogProbability(sequence);
    }

    @Override
    PairLoss loss(EncodedExample pair, AnswerLikelihoods answers, int chosen) {
        double better = answers.meanLogProbability(chosen);
        double worse = answers.meanLogProbability(chosen + 1);
        double logOdds = better - worse - (Logistic.log1MinusExp(better) - Logistic.log1MinusExp(worse));
        double byOdds = -beta * Logistic.sigmoid(-logOdds);
        return new PairLoss(beta * Logistic.negativeLogSigmoid(logOdds),
                byOdds / (1 - Math.exp(better)) / answers.tokens(chosen),
                -byOdds / (1 - Math.exp(worse)) / answers.tokens(chosen + 1), beta * better, beta * worse);
    }

    /** The objective by its name. */
    public static final class Type extends PairsType {
        private static final ObjectiveOption<Double> WEIGHT = ObjectiveOption.number("beta", "B",
                "the weight of preferences", OrpoObjective.BETA);

        /** What is registered. */
        public Type() {
            super("orpo", WEIGHT, ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<PreferenceExample>> objective(ObjectiveValues values) {
            double beta = DpoOptions.requireAboveZero("beta", values.get(WEIGHT));
            return model -> new OrpoObjective(model, beta);
        }
    }
}
