package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionForm;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Typed questions, each with the probabilities of its options or one that is right: soft cross-entropy over the options
 * (Guo et al. 2017 on why that alone leaves a model to be calibrated). A model with option markers learns with its
 * head, an embedder by the vectors of texts and options, any chat model by the tokens of its labels. Each question of a
 * row is an example.
 *
 * <p>Rows that have a label and no question get one: a choice between all labels of the training data, which is stored
 * with the adapter, so that the same is asked later.
 *
 * @param <E> a row
 */
public final class DecisionObjective<E> implements Objective<E> {
    private static final double RATE_OF_LABELS = 0.5;
    private static final double RATE_OF_ENCODERS = 0.25;
    private static final int FEWEST_UPDATES = 120;
    private static final int UPDATES_OF_NEW_HEAD = 720;
    private static final int BATCH_OF_NEW_HEAD = 4;

    private final LanguageModel model;
    private final DecisionSource<E> source;
    private final DecisionOptions options;
    private volatile Optional<DecisionQuestion> plain;

    /** The objective for rows of questions, with the usual options. */
    public static DecisionObjective<DecisionRow> of(LanguageModel model) {
        return new DecisionObjective<>(model, DecisionSource.ROWS, DecisionOptions.DEFAULT);
    }

    /**
     * The objective for a model.
     *
     * @param source how rows become questions
     * @throws ConfigurationException when the model has neither a head for options nor a chat template
     */
    @Internal
    public DecisionObjective(LanguageModel model, DecisionSource<E> source, DecisionOptions options) {
        this.model = Objects.requireNonNull(model, "model");
        this.source = Objects.requireNonNull(source, "source");
        this.options = Objects.requireNonNull(options, "options");
        this.plain = model.decisions().plainQuestion();
        DecisionForm.of(model);
    }

    @Override
    public String name() {
        return "decision";
    }

    @Override
    public Map<String, String> settings() {
        return options.settings();
    }

    /** Few rows are soon learned by heart: probabilities then go to 0 and 1, and the validation loss rises. */
    @Override
    public boolean keepsBest() {
        return true;
    }

    /** Options are told apart by small changes of what a token stands for, which higher rates destroy. */
    @Override
    public double autoRateFactor() {
        return DecisionForm.of(model).predictsLabels() ? RATE_OF_LABELS : RATE_OF_ENCODERS;
    }

    /** A new head scores all options alike until the encoder below has learned to compare them with the text. */
    @Override
    public int autoFewestUpdates() {
        return hasNewHead() ? UPDATES_OF_NEW_HEAD : FEWEST_UPDATES;
    }

    /** That takes many updates rather than many examples in each. */
    @Override
    public int autoBatchSize(int usual) {
        return hasNewHead() ? Math.min(usual, BATCH_OF_NEW_HEAD) : usual;
    }

    private boolean hasNewHead() {
        return !DecisionForm.of(model).predictsLabels() && !model.network().headed().untrained().isEmpty();
    }

    @Override
    public Objective<E> withLabelSmoothing(double share) {
        return new DecisionObjective<>(model, source, options.withSmoothing(share));
    }

    @Override
    public List<EncodedExample> encode(E example) {
        return encode(DecisionForm.of(model), source.row(example, plain), new SplittableRandom(0));
    }

    @Override
    public EncodedExamples encode(List<E> examples, DataSetup setup) {
        DecisionSettings settings = model.decisions();
        boolean marked = !DecisionForm.of(model).predictsLabels();
        if (marked && setup.maxLength() < settings.maxTokens().orElse(Integer.MAX_VALUE)) {
            settings = settings.withMaxTokens(Math.min(setup.maxLength(), settings.maxTokens().orElse(512)));
        }
        // The labels of validation rows must be among those that are learned.
        boolean learns = setup.kind().endsWith("training");
        if (learns && (plain.isEmpty() || !source.fits(examples, plain.get()))) {
            plain = source.question(examples, options.question());
        }
        if (plain.isPresent()) {
            settings = settings.withPlainQuestion(plain.get());
        }
        if (learns) {
            settings = learned(settings, examples);
        }
        if (learns && model instanceof PeftModel tuned && !settings.equals(model.decisions())) {
            tuned.describeDecisions(settings);
        }
        DecisionForm form = DecisionForm.of(model, settings);
        SplittableRandom random = new SplittableRandom(examples.size());
        List<EncodedExample> all = new ArrayList<>();
        int leftOut = 0;
        for (int i = 0; i < examples.size(); i++) {
            try {
                for (EncodedExample each : encode(form, source.row(examples.get(i), plain), random)) {
                    boolean fits = each.sequences().stream().allMatch(part -> part.length() <= setup.maxLength());
                    leftOut += fits ? 0 : 1;
                    if (fits) {
                        all.add(each);
                    }
                }
            } catch (ConfigurationException | FileFormatException e) {
                throw new ConfigurationException(setup.kind() + " example " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        return new EncodedExamples(all, leftOut);
    }

    /** What a model is asked like from now on: by the names of options, unless its own settings say how. */
    private DecisionSettings learned(DecisionSettings given, List<E> examples) {
        DecisionForm form = DecisionForm.of(model, given);
        DecisionSettings settings = given.withTrained(given.trained().with(examples.stream()
                .map(example -> source.row(example, plain).request().state()).toList()));
        boolean own = given.template().isPresent() || given.labels().containsKey(Kind.CHOICE.word());
        return !form.predictsLabels() || own || given.namesAsLabels() || !options.namesAsLabels() ? settings
                : settings.withNamesAsLabels(plain.map(form::nameLabels).orElse(List.of()));
    }

    /** Targets are the kind of the question, the places or labels of its options, and their probabilities. */
    private List<EncodedExample> encode(DecisionForm form, DecisionRow row, SplittableRandom random) {
        List<EncodedExample> examples = new ArrayList<>();
        row.gold().forEach((name, gold) -> {
            DecisionQuestion question = row.request().questions().get(name);
            int n = question.options().size();
            int[] order = IntStream.range(0, n).toArray();
            for (int i = n - 1; i > 0 && options.drawnOrders() && question.kind() == Kind.CHOICE; i--) {
                int other = random.nextInt(i + 1);
                int kept = order[i];
                order[i] = order[other];
                order[other] = kept;
            }
            DecisionForm.Encoded encoded = form.encode(row.request(), name, order);
            float[] targets = new float[1 + 2 * n];
            targets[0] = question.kind().ordinal();
            for (int i = 0; i < n; i++) {
                targets[1 + i] = encoded.outputs()[i];
                targets[1 + n + i] = gold.get(i).floatValue();
            }
            examples.add(new EncodedExample(encoded.sequences(), targets, options.weights().getOrDefault(name, 1.0),
                    1));
        });
        return examples;
    }

    /**
     * The weighted loss of an example.
     *
     * @param values where the logits of its options stand: from {@code first} on
     * @param counts gets the example
     * @param gradient gets the derivatives at the same places
     */
    private double loss(EncodedExample example, float[] values, int first, DecisionCounts counts,
            double[] gradient) {
        float[] targets = example.targets();
        int n = (targets.length - 1) / 2;
        double[] logits = new double[n];
        double[] gold = new double[n];
        double[] own = new double[n];
        for (int i = 0; i < n; i++) {
            logits[i] = values[first + (int) targets[1 + i]];
            gold[i] = targets[1 + n + i];
        }
        Kind kind = Kind.values()[(int) targets[0]];
        double loss = options.loss(kind, logits, gold, own);
        for (int i = 0; i < n; i++) {
            gradient[(int) targets[1 + i]] = example.weight() * own[i];
        }
        counts.add(kind, example.weight(), logits, gold);
        return example.weight() * loss;
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        DecisionCounts counts = new DecisionCounts(options);
        double loss = DecisionForm.of(model).predictsLabels()
                ? passes.training(batch, pass -> pass.withRouterLoss(EncodedExample.weight(batch), normalizer)
                        .backwardOfLogits((from, to, logits) -> labels(pass, batch, from, to, logits, counts,
                                normalizer)))
                : passes.training(batch, pass -> {
                    double[] sum = new double[1];
                    pass.backward((outputs, columns, gradient) -> sum[0] = encoded(batch, outputs, counts, gradient,
                            normalizer));
                    return sum[0];
                });
        passes.measure(ACCURACY, counts.right(), batch.size());
        return loss;
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        DecisionCounts counts = new DecisionCounts(options);
        double loss = passes.evaluation(EncodedExample.sequences(batch), pass -> {
            if (!DecisionForm.of(model).predictsLabels()) {
                float[] outputs = pass.outputs();
                return encoded(batch, outputs, counts, new float[outputs.length], 1);
            }
            double[] sum = new double[1];
            pass.logits(pass.batch().targets().rows(), (from, chunk) -> {
                float[] logits = Arrays.toFloats(chunk);
                sum[0] += labels(pass, batch, from, from + logits.length / chunk.columns(), logits, counts, 1);
            });
            return sum[0];
        });
        passes.measure(ACCURACY, counts.right(), batch.size());
        passes.measure(CALIBRATED_LOSS, counts.losses(), EncodedExample.weight(batch));
        return loss;
    }

    /** Losses of questions whose labels are predicted; logits are replaced by derivatives. */
    private double labels(Pass pass, List<EncodedExample> batch, int from, int to, float[] logits,
            DecisionCounts counts,
            double normalizer) {
        PackedBatch.Targets targets = pass.batch().targets();
        int columns = logits.length / (to - from);
        double sum = 0;
        for (int i = from; i < to; i++) {
            int first = (i - from) * columns;
            double[] gradient = new double[columns];
            sum += loss(batch.get(targets.sequences()[i]), logits, first, counts, gradient);
            for (int j = 0; j < columns; j++) {
                logits[first + j] = (float) (gradient[j] / normalizer);
            }
        }
        return sum;
    }

    /** Losses of an encoder's questions. */
    private double encoded(List<EncodedExample> batch, float[] outputs, DecisionCounts counts, float[] gradient,
            double normalizer) {
        return model.network().headed().comparesVectors() ? vectors(batch, outputs, counts, gradient, normalizer)
                : markers(batch, outputs, counts, gradient, normalizer);
    }

    /** Losses of questions whose options are compared with a text; there is a vector for each. */
    private double vectors(List<EncodedExample> batch, float[] outputs, DecisionCounts counts, float[] gradient,
            double normalizer) {
        int texts = EncodedExample.sequences(batch).size();
        Cosines cosines = new Cosines(outputs, outputs.length / texts, texts);
        double[] all = new double[outputs.length];
        double sum = 0;
        int first = 0;
        for (EncodedExample example : batch) {
            int n = example.sequences().size();
            float[] logits = new float[n];
            for (int i = 1; i < n; i++) {
                logits[i] = (float) (DecisionForm.SCALE * cosines.cosine(first, first + i));
            }
            double[] own = new double[n];
            sum += loss(example, logits, 0, counts, own);
            for (int i = 1; i < n; i++) {
                cosines.addGradients(first, first + i, DecisionForm.SCALE * own[i], all);
            }
            first += n;
        }
        for (int i = 0; i < all.length; i++) {
            gradient[i] = (float) (all[i] / normalizer);
        }
        return sum;
    }

    /** Losses of questions whose options are marked; there is an output for each token. */
    private double markers(List<EncodedExample> batch, float[] outputs, DecisionCounts counts, float[] gradient,
            double normalizer) {
        double sum = 0;
        int first = 0;
        for (EncodedExample example : batch) {
            int tokens = (int) example.tokens();
            double[] own = new double[tokens];
            sum += loss(example, outputs, first, counts, own);
            for (int j = 0; j < tokens; j++) {
                gradient[first + j] = (float) (own[j] / normalizer);
            }
            first += tokens;
        }
        return sum;
    }

    @Override
    public String toString() {
        return "objective " + name();
    }
}
