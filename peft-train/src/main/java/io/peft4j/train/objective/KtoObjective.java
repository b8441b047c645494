package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.PreferenceEncoder;
import io.peft4j.data.task.JudgedAnswer;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Kahneman-Tversky optimization (<a href="https://arxiv.org/abs/2402.01306">2402.01306</a>): of single answers it is
 * known whether they are good. With r the log-probability of an answer over the reference's, a good one has the loss
 * {@code 1 - sigmoid(beta (r - kl))}, a bad one {@code 1 - sigmoid(beta (kl - r))}, each times its weight; the loss is
 * the mean over all.
 *
 * <p>{@code kl} says how far the model has moved in general: the mean of r over the batch's prompts, each with another
 * one's answer, but at least 0; it has no gradient. The other answer is that of the example before it among those that
 * follow each other in the data, as many as a batch has (the first takes the last), so a batch of 1 says nothing of it.
 * The reference is computed once, before the first update.
 *
 * <p>Measured: {@code kl}, {@code rewards/chosen} and {@code logps/chosen} of good answers, {@code rewards/rejected}
 * and {@code logps/rejected} of bad ones, {@code rewards/margins} of batches with both.
 */
public final class KtoObjective implements AnswerObjective<JudgedAnswer> {
    private final PreferenceEncoder encoder;
    private final KtoOptions options;

    /** The objective for a model, with the defaults. */
    public KtoObjective(LanguageModel model) {
        this(model, KtoOptions.defaults());
    }

    /**
     * The objective for a model.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model is none that predicts
     *     the next token
     */
    public KtoObjective(LanguageModel model, KtoOptions options) {
        this.encoder = PreferenceObjective.encoder(model);
        this.options = Objects.requireNonNull(options, "options");
    }

    @Override
    public String name() {
        return "kto";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("beta", String.valueOf(options.beta()), "desirable_weight",
                String.valueOf(options.desirableWeight()), "undesirable_weight",
                String.valueOf(options.undesirableWeight()), "reference", options.reference().toString());
    }

    @Override
    public boolean comparesExamples() {
        return true;
    }

    @Override
    public EncodedExamples encode(List<JudgedAnswer> examples, DataSetup setup) {
        AnswerFault.Log faults = new AnswerFault.Log();
        List<TokenSequence> answers = new ArrayList<>();
        List<Boolean> labels = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            boolean good = examples.get(i).desirable();
            encoder.encode(examples.get(i), setup.maxLength(), faults, i).ifPresent(sequence -> {
                answers.add(sequence);
                labels.add(good);
            });
        }
        List<EncodedExample> encoded = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            int first = i - i % setup.batchSize();
            int last = Math.min(answers.size(), first + setup.batchSize()) - 1;
            TokenSequence other = mixed(answers.get(i), answers.get(i == first ? last : i - 1), setup.maxLength());
            encoded.add(new EncodedExample(List.of(answers.get(i), other), new float[] {labels.get(i) ? 1 : 0}, 1,
                    answers.get(i).supervisedTokens()));
        }
        return PreferenceObjective.kept(encoded, faults, examples.size(), setup);
    }

    /** The prompt of one example with the answer of another. */
    private static TokenSequence mixed(TokenSequence asked, TokenSequence answered, int maxLength) {
        int prompt = firstLearned(asked);
        int from = firstLearned(answered);
        int length = Math.min(maxLength, prompt + answered.length() - from);
        int[] ids = java.util.Arrays.copyOf(asked.ids(), length);
        float[] weights = new float[length];
        for (int i = prompt; i < length; i++) {
            ids[i] = answered.ids()[from + i - prompt];
            weights[i] = answered.weights()[from + i - prompt];
        }
        return new TokenSequence(ids, weights).inTask(asked.task());
    }

    private static int firstLearned(TokenSequence sequence) {
        int first = 1;
        while (sequence.weights()[first] == 0) {
            first++;
        }
        return first;
    }

    @Override
    public int referenceValues() {
        return 2;
    }

    @Override
    public float[][] reference(Passes passes, List<EncodedExample> batch) {
        float[] own = options.reference().logProbabilities(passes, sequences(batch, 0));
        float[] others = options.reference().logProbabilities(passes, sequences(batch, 1));
        float[][] values = new float[batch.size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = new float[] {own[i], others[i]};
        }
        return values;
    }

    private static List<TokenSequence> sequences(List<EncodedExample> batch, int which) {
        return batch.stream().map(example -> example.sequences().get(which)).toList();
    }

    /** How far the model has moved from the reference on answers to other prompts. */
    private static double divergence(Passes passes, List<EncodedExample> batch) {
        double[] nll = passes.evaluation(sequences(batch, 1), Pass::sequenceNegativeLogLikelihoods);
        double sum = 0;
        for (int i = 0; i < nll.length; i++) {
            sum += (double) (float) -nll[i] - batch.get(i).targets()[2];
        }
        double mean = Math.max(0, sum / nll.length);
        passes.measure("kl", mean, 1);
        return mean;
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        double divergence = divergence(passes, batch);
        return passes.training(0, sequences(batch, 0), pass -> pass
                .withRouterLoss(EncodedExample.weight(batch), normalizer).backward((nll, gradient) -> {
                    double sum = loss(passes, batch, divergence, answers(pass.batch(), nll, gradient));
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] /= (float) normalizer;
                    }
                    return sum;
                }));
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        double divergence = divergence(passes, batch);
        return passes.evaluation(sequences(batch, 0), pass -> {
            float[] nll = pass.negativeLogLikelihoods();
            return loss(passes, batch, divergence, answers(pass.batch(), nll, new float[nll.length]));
        });
    }

    private static AnswerLikelihoods answers(PackedBatch batch, float[] nll, float[] gradient) {
        return new AnswerLikelihoods(batch.targets(), i -> true, nll, gradient);
    }

    private double loss(Passes passes, List<EncodedExample> batch, double divergence, AnswerLikelihoods answers) {
        double sum = 0;
        double[] rewards = new double[2];
        int[] counts = new int[2];
        for (int i = 0; i < batch.size(); i++) {
            int good = (int) batch.get(i).targets()[0];
            double weight = good == 1 ? options.desirableWeight() : options.undesirableWeight();
            int sign = 2 * good - 1;
            double ratio = (double) answers.logProbability(i) - batch.get(i).targets()[1];
            double value = Logistic.sigmoid(sign * options.beta() * (ratio - divergence));
            answers.addDerivative(i, -weight * sign * options.beta() * value * (1 - value));
            sum += weight * (1 - value);
            rewards[good] += options.beta() * ratio;
            counts[good]++;
            passes.measure("rewards/" + kind(good), options.beta() * ratio, 1);
            passes.measure("logps/" + kind(good), answers.logProbability(i), 1);
        }
        if (counts[0] > 0 && counts[1] > 0) {
            passes.measure("rewards/margins", rewards[1] / counts[1] - rewards[0] / counts[0], 1);
        }
        return sum;
    }

    private static String kind(int good) {
        return good == 1 ? "chosen" : "rejected";
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** The objective by its name. */
    public static final class Type extends ObjectiveType<JudgedAnswer> {
        private static final ObjectiveOption<Double> GOOD = ObjectiveOption.number("desirable-weight", "W",
                "the weight of good answers", 1);
        private static final ObjectiveOption<Double> BAD = ObjectiveOption.number("undesirable-weight", "W",
                "the weight of bad answers", 1);

        /** What is registered. */
        public Type() {
            super("kto", RowKind.JUDGED,
                    "{\"messages\", \"label\"}, or \"prompt\" and \"completion\"; the label is true or "
                            + "false",
                    PreferenceObjective.PairsType.BETA, PreferenceObjective.PairsType.REFERENCE, GOOD, BAD,
                    ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<JudgedAnswer>> objective(ObjectiveValues values) {
            KtoOptions options = new KtoOptions(values.get(PreferenceObjective.PairsType.BETA), values.get(GOOD),
                    values.get(BAD), Reference.named(values.get(PreferenceObjective.PairsType.REFERENCE)));
            return model -> new KtoObjective(model, options);
        }
    }
}
