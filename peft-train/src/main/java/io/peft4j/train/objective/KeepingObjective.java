package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;

/**
 * An objective that is learned without forgetting: the loss of each batch has on top a penalty on what changes along
 * answers that the base model gave before ({@link KeptAnswers}). Which of them is drawn for each batch.
 *
 * <pre>{@code
 * KeepingOptions keeping = KeepingOptions.defaults();
 * KeptAnswers kept = KeptAnswers.of(base, KeptAnswers.general(base), keeping.mostTokens());
 * Trainer.builder(model).build().train(new KeepingObjective<>(new ChatObjective(model), model, kept, keeping),
 *         chats.examples());
 * }</pre>
 *
 * <p>Measured besides what the objective measures: {@code kept_kl}, the mean of {@code KL(base || model)} over the
 * tokens of kept answers, and {@code kept_nll}, their mean negative log-likelihood. The loss on validation data is that
 * of the objective alone.
 *
 * @param <E> an example
 */
@Internal
public final class KeepingObjective<E> implements Objective<E> {
    /** Number of the pass of kept answers: objectives count their own from 0. */
    private static final int PART = 1 << 20;

    private final Objective<E> learned;
    private final KeptAnswers kept;
    private final KeepingOptions options;
    private final TeacherLoss loss;

    /**
     * An objective with a penalty.
     *
     * @param learned what is learned
     * @param model the model that is trained
     * @param kept the answers of its base
     */
    public KeepingObjective(Objective<E> learned, LanguageModel model, KeptAnswers kept, KeepingOptions options) {
        this(learned, kept, options, new TeacherLoss(model, model, true, new DistilledToken(1, 1,
                model.network().description().vocabularySize()), "kept_nll", "kept_kl"));
        model.network().causal();
    }

    private KeepingObjective(Objective<E> learned, KeptAnswers kept, KeepingOptions options, TeacherLoss loss) {
        this.learned = Objects.requireNonNull(learned, "learned");
        this.kept = Objects.requireNonNull(kept, "kept");
        this.options = Objects.requireNonNull(options, "options");
        this.loss = loss;
    }

    @Override
    public KeepingObjective<E> withLabelSmoothing(double share) {
        return new KeepingObjective<>(learned.withLabelSmoothing(share), kept, options, loss);
    }

    @Override
    public String name() {
        return learned.name();
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(learned.settings());
        settings.putAll(options.settings());
        settings.put("kept_answers", Integer.toHexString(kept.digest()));
        return settings;
    }

    @Override
    public List<EncodedExample> encode(E example) {
        return learned.encode(example);
    }

    @Override
    public EncodedExamples encode(List<E> examples, DataSetup setup) {
        return learned.encode(examples, setup);
    }

    @Override
    public int referenceValues() {
        return learned.referenceValues();
    }

    @Override
    public int referenceValues(EncodedExample example) {
        return learned.referenceValues(example);
    }

    @Override
    public float[][] reference(Passes passes, List<EncodedExample> batch) {
        return learned.reference(passes, batch);
    }

    @Override
    public List<Double> partWeights() {
        return learned.partWeights();
    }

    /** A batch is not divided: what is kept is drawn for the whole of it. */
    @Override
    public boolean comparesExamples() {
        return true;
    }

    @Override
    public boolean keepsBest() {
        return learned.keepsBest();
    }

    @Override
    public double autoRateFactor() {
        return learned.autoRateFactor();
    }

    @Override
    public double autoEpochsFactor() {
        return learned.autoEpochsFactor();
    }

    @Override
    public double learnedShare() {
        return learned.learnedShare();
    }

    @Override
    public int autoFewestUpdates() {
        return learned.autoFewestUpdates();
    }

    @Override
    public int autoBatchSize(int usual) {
        return learned.autoBatchSize(usual);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        double sum = learned.backward(passes, batch, normalizer);
        if (batch.get(0).part() != 0) {
            // Of several objectives the first one's batches make up the updates.
            return sum;
        }
        double weight = options.weight() * EncodedExample.weight(batch);
        return sum + loss.backward(passes, PART, lessons(passes.seed(), batch.size(), weight), weight, normalizer);
    }

    /** Some of the kept answers, whose tokens have that weight together. */
    private List<TeacherLoss.Lesson> lessons(long seed, int examples, double weight) {
        List<TokenSequence> drawn = new ArrayList<>(kept.sequences());
        SplittableRandom random = new SplittableRandom(seed);
        int count = (int) Math.min(drawn.size(), Math.max(1, Math.round(options.share() * examples)));
        for (int i = 0; i < count; i++) {
            drawn.set(i, drawn.set(i + random.nextInt(drawn.size() - i), drawn.get(i)));
        }
        List<TokenSequence> some = drawn.subList(0, count);
        float each = (float) (weight / some.stream().mapToInt(TokenSequence::supervisedTokens).sum());
        return some.stream().map(sequence -> lesson(sequence, each)).toList();
    }

    private TeacherLoss.Lesson lesson(TokenSequence sequence, float each) {
        float[] weights = new float[sequence.length()];
        for (int i = 1; i < weights.length; i++) {
            weights[i] = sequence.weights()[i] == 0 ? 0 : each;
        }
        TokenSequence weighted = sequence.weighted(weights);
        return options.by() == KeepingOptions.By.DIVERGENCE ? TeacherLoss.Lesson.of(weighted)
                : TeacherLoss.Lesson.untaught(weighted);
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return learned.loss(passes, batch);
    }

    @Override
    public String toString() {
        return learned + " with " + kept;
    }
}
