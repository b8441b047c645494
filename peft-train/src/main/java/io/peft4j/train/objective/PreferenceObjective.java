package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.PreferenceEncoder;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An objective over prompts with a better and a worse answer. Supervised are the answers with their end-of-turn tokens.
 * Pairs with equal or empty answers are left out, answers that are longer than the limit are cut; both are counted and
 * listed in the log.
 *
 * <p>Measured besides the loss: {@code rewards/chosen}, {@code rewards/rejected}, {@code rewards/margins} (their mean
 * difference), {@code rewards/accuracies} (the share of pairs whose better answer has the higher reward),
 * {@code logps/chosen} and {@code logps/rejected}.
 *
 * <p>Where the model asks for it, the load-balancing loss of its routers comes on top, as in TRL.
 *
 * <p>The gradient of a sum of log-probabilities is linear in the weights of its tokens: the likelihoods come first,
 * then a backward pass in which each token has the derivative of the loss by its likelihood for its weight.
 */
abstract class PreferenceObjective implements AnswerObjective<PreferenceExample> {
    /** What an automatic learning rate is multiplied by, for a model that can answer already. */
    static final double RATE_FACTOR = 0.025;
    /** What an automatic number of epochs is multiplied by: which answer is better is learned sooner than an answer. */
    static final double EPOCHS_FACTOR = 0.25;
    private static final Logger LOG = LoggerFactory.getLogger(PreferenceObjective.class);

    private final PreferenceEncoder encoder;

    PreferenceObjective(LanguageModel model) {
        this.encoder = encoder(model);
    }

    /** One that differs in options alone. */
    PreferenceObjective(PreferenceObjective other) {
        this.encoder = other.encoder;
    }

    /** The encoder of a model that predicts text. */
    static PreferenceEncoder encoder(LanguageModel model) {
        model.network().causal();
        return PreferenceEncoder.of(model);
    }

    @Override
    public final EncodedExamples encode(List<PreferenceExample> examples, DataSetup setup) {
        AnswerFault.Log faults = new AnswerFault.Log();
        List<EncodedExample> encoded = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            Optional<PreferenceEncoder.Pair> pair = encoder.encode(examples.get(i), setup.maxLength(), faults, i);
            pair.map(this::encoded).ifPresent(encoded::add);
        }
        return kept(encoded, faults, examples.size(), setup);
    }

    /** Says what is wrong with some examples; it is an error where none is left. */
    static EncodedExamples kept(List<EncodedExample> encoded, AnswerFault.Log faults, int examples, DataSetup setup) {
        List<String> lines = faults.lines(setup.kind(), examples, setup.maxLength());
        if (encoded.isEmpty() && examples > 0) {
            throw new ConfigurationException("nothing can be learned from any of the " + examples + " " + setup.kind()
                    + " examples: " + String.join(". ", lines));
        }
        lines.forEach(LOG::warn);
        return new EncodedExamples(encoded, faults.leftOut());
    }

    /** A pair as it is trained on. */
    EncodedExample encoded(PreferenceEncoder.Pair pair) {
        return new EncodedExample(List.of(pair.preferred(), pair.rejected()), new float[0], 1,
                pair.preferred().supervisedTokens() + pair.rejected().supervisedTokens());
    }

    /**
     * The loss of a pair, and what it is made of.
     *
     * @param loss the loss
     * @param byChosen its derivative by the log-probability of the better answer
     * @param byRejected and by that of the worse one
     * @param chosenReward what the model is said to value the better answer with
     * @param rejectedReward and the worse one
     */
    record PairLoss(double loss, double byChosen, double byRejected, double chosenReward, double rejectedReward) {
    }

    /**
     * The loss of a pair.
     *
     * @param pair the pair
     * @param answers log-probabilities
     * @param chosen number of the better answer among them; that of the worse one is the next
     */
    abstract PairLoss loss(EncodedExample pair, AnswerLikelihoods answers, int chosen);

    /** What is reported as the log-probability of an answer; default: the sum over its tokens. */
    double logProbability(AnswerLikelihoods answers, int sequence) {
        return answers.logProbability(sequence);
    }

    /** The summed loss of a batch, with its derivatives in {@code gradient}. */
    double loss(Passes passes, List<EncodedExample> batch, PackedBatch.Targets targets, float[] nll,
            float[] gradient) {
        return loss(passes, batch, new AnswerLikelihoods(targets, i -> true, nll, gradient));
    }

    /** The summed loss of a batch's pairs. */
    final double loss(Passes passes, List<EncodedExample> batch, AnswerLikelihoods answers) {
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            int chosen = 2 * i;
            PairLoss pair = loss(batch.get(i), answers, chosen);
            answers.addDerivative(chosen, pair.byChosen());
            answers.addDerivative(chosen + 1, pair.byRejected());
            sum += pair.loss();
            passes.measure("rewards/chosen", pair.chosenReward(), 1);
            passes.measure("rewards/rejected", pair.rejectedReward(), 1);
            passes.measure("rewards/margins", pair.chosenReward() - pair.rejectedReward(), 1);
            passes.measure("rewards/accuracies", pair.chosenReward() > pair.rejectedReward() ? 1 : 0, 1);
            passes.measure("logps/chosen", logProbability(answers, chosen), 1);
            passes.measure("logps/rejected", logProbability(answers, chosen + 1), 1);
        }
        return sum;
    }

    @Override
    public final double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return passes.training(batch, pass -> pass
                .withRouterLoss(EncodedExample.weight(batch), normalizer).backward((nll, gradient) -> {
                    double sum = loss(passes, batch, pass.batch().targets(), nll, gradient);
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] /= (float) normalizer;
                    }
                    return sum;
                }));
    }

    @Override
    public final double loss(Passes passes, List<EncodedExample> batch) {
        return passes.evaluation(EncodedExample.sequences(batch), pass -> {
            float[] nll = pass.negativeLogLikelihoods();
            return loss(passes, batch, pass.batch().targets(), nll, new float[nll.length]);
        });
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** What the types of preference objectives have in common. */
    abstract static class PairsType extends ObjectiveType<PreferenceExample> {
        static final ObjectiveOption<Double> BETA = ObjectiveOption.number("beta", "B", "how firmly the model is held "
                + "to the reference", 0.1);
        static final ObjectiveOption<String> REFERENCE = ObjectiveOption.word("reference", "base|start", "what the "
                + "model is held against: the base, or the base with the adapter as it begins", "base");

        PairsType(String name, ObjectiveOption<?>... options) {
            super(name, RowKind.PREFERENCES, "{\"prompt\", \"chosen\", \"rejected\"} as texts or messages, or "
                    + "OpenAI's {\"input\", \"preferred_output\", \"non_preferred_output\"}", options);
        }
    }
}
