package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.TextPair;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Vectors of texts that belong together come near each other (<a
 * href="https://arxiv.org/abs/1705.00652">1705.00652</a>; MultipleNegativesRankingLoss of sentence-transformers): the
 * cross-entropy of an anchor's positive among all positives, and all negatives, of the batch, over cosines times a
 * scale. The more examples in a batch, the harder the task.
 *
 * <p>With a cache of gradients (<a href="https://arxiv.org/abs/2101.06983">2101.06983</a>) a batch may be far larger
 * than a pass: its vectors are computed a few examples at a time and kept, then the gradients of the loss by the
 * vectors, then those of the parameters, again a few examples at a time. Loss and gradients are those of one pass.
 */
public final class ContrastiveObjective extends HeadObjective<TextPair> {
    /** What cosines are multiplied with. */
    public static final double SCALE = 20;
    private static final int FEWEST_COMPARED = 32;

    private final TextEncoder encoder;
    private final double scale;
    private final int examplesAPass;

    /**
     * An objective for a model, with cosines times {@value #SCALE}.
     *
     * @throws ConfigurationException when the model was loaded for another task than
     *     FEATURE_EXTRACTION
     */
    public ContrastiveObjective(Model model) {
        this(model, TextEncoder.of(model), SCALE);
    }

    /** As {@link #ContrastiveObjective(Model)}; {@code encoder} makes the sequences, cut to its limit. */
    public ContrastiveObjective(Model model, TextEncoder encoder, double scale) {
        super(model, Task.Type.FEATURE_EXTRACTION);
        this.encoder = Objects.requireNonNull(encoder, "encoder");
        this.scale = scale;
        this.examplesAPass = Integer.MAX_VALUE;
    }

    private ContrastiveObjective(ContrastiveObjective other, int examplesAPass) {
        super(other);
        this.encoder = other.encoder;
        this.scale = other.scale;
        this.examplesAPass = examplesAPass;
    }

    /**
     * The same with a cache of gradients: however large a batch is, so many examples run at a time. The batch size then
     * says how many negatives there are.
     *
     * @throws ConfigurationException when it is below 1
     */
    public ContrastiveObjective withGradientCache(int examples) {
        requireExamples(examples);
        return new ContrastiveObjective(this, examples);
    }

    private static void requireExamples(int examples) {
        if (examples < 1) {
            throw new ConfigurationException("the gradient cache is for " + examples + " examples at a time; it must "
                    + "be at least 1");
        }
    }

    @Override
    public String name() {
        return "contrastive";
    }

    @Override
    public boolean comparesExamples() {
        return true;
    }

    /** The others of a batch are the alternatives of an example: too few are too easy. */
    @Override
    public int autoBatchSize(int usual) {
        return Math.max(FEWEST_COMPARED, usual);
    }

    @Override
    public List<EncodedExample> encode(TextPair example) {
        List<TokenSequence> sequences = new ArrayList<>();
        sequences.add(encoder.text(example.anchor()));
        sequences.add(encoder.text(example.positive()));
        example.negatives().forEach(negative -> sequences.add(encoder.text(negative)));
        return List.of(new EncodedExample(sequences, new float[0], 1, 1));
    }

    @Override
    int limit() {
        return encoder.limit();
    }

    @Override
    boolean isCut(TextPair example) {
        return encoder.cuts(example.anchor()) || encoder.cuts(example.positive())
                || example.negatives().stream().anyMatch(encoder::cuts);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        if (batch.size() <= examplesAPass) {
            return super.backward(passes, batch, normalizer);
        }
        List<List<TokenSequence>> parts = parts(batch);
        List<float[]> vectors = new ArrayList<>();
        for (List<TokenSequence> part : parts) {
            passes.training(vectors.size(), part, pass -> {
                vectors.add(pass.outputs());
                return 0;
            });
        }
        float[] all = whole(vectors);
        double[] gradient = new double[all.length];
        double loss = loss(batch, all, all.length / EncodedExample.sequences(batch).size(), gradient);
        int from = 0;
        for (int i = 0; i < parts.size(); i++) {
            int first = from;
            passes.training(i, parts.get(i), pass -> pass.backward((outputs, columns, ofOutputs) -> {
                for (int k = 0; k < outputs.length; k++) {
                    ofOutputs[k] = (float) (gradient[first + k] / normalizer);
                }
                return loss;
            }));
            from += vectors.get(i).length;
        }
        return loss;
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        List<float[]> vectors = parts(batch).stream().map(part -> passes.evaluation(part, Pass::outputs)).toList();
        float[] all = whole(vectors);
        return loss(batch, all, all.length / EncodedExample.sequences(batch).size(), new double[all.length]);
    }

    private List<List<TokenSequence>> parts(List<EncodedExample> batch) {
        List<List<TokenSequence>> parts = new ArrayList<>();
        for (int from = 0; from < batch.size(); from += Math.min(examplesAPass, batch.size())) {
            parts.add(EncodedExample.sequences(batch.subList(from,
                    (int) Math.min(batch.size(), (long) from + examplesAPass))));
        }
        return parts;
    }

    private static float[] whole(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int next = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, next, part.length);
            next += part.length;
        }
        return all;
    }

    @Override
    double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient) {
        List<Integer> anchors = new ArrayList<>();
        List<Integer> candidates = new ArrayList<>();
        List<Integer> negatives = new ArrayList<>();
        int row = 0;
        for (EncodedExample example : batch) {
            anchors.add(row);
            candidates.add(row + 1);
            for (int i = 2; i < example.sequences().size(); i++) {
                negatives.add(row + i);
            }
            row += example.sequences().size();
        }
        candidates.addAll(negatives);
        Cosines vectors = new Cosines(outputs, columns, row);
        double sum = 0;
        for (int i = 0; i < anchors.size(); i++) {
            float[] scores = new float[candidates.size()];
            for (int j = 0; j < scores.length; j++) {
                scores[j] = (float) (scale * vectors.cosine(anchors.get(i), candidates.get(j)));
            }
            double[] ofScores = new double[scores.length];
            sum += CrossEntropy.of(new CrossEntropy.Row(scores, 0, 1, scores.length), i, 1, ofScores);
            for (int j = 0; j < scores.length; j++) {
                vectors.addGradients(anchors.get(i), candidates.get(j), scale * ofScores[j], gradient);
            }
        }
        return sum;
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<TextPair> {
        private static final ObjectiveOption<Integer> CACHE = ObjectiveOption.optional("gradient-cache", Integer.class,
                "N", "runs N examples at a time, however large the batch and so the number of negatives is");

        /** What is registered. */
        public Type() {
            super("contrastive", RowKind.PAIRS, "{\"anchor\", \"positive\"}, with \"negative\" or \"negatives\"",
                    rows -> Task.EMBEDDING,
                    ContrastiveObjective::new, CACHE);
        }

        @Override
        protected Function<LanguageModel, Objective<TextPair>> objective(ObjectiveValues values) {
            Optional<Integer> examples = values.find(CACHE);
            examples.ifPresent(ContrastiveObjective::requireExamples);
            return model -> {
                ContrastiveObjective whole = new ContrastiveObjective(model);
                return examples.map(whole::withGradientCache).orElse(whole);
            };
        }
    }
}
