package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.RowKind;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Classes of texts, or numbers for them, as transformers' models for sequence classification learn them: cross-entropy
 * where one label is right, or each is with a probability, the mean logistic loss of all labels where several can be,
 * or of the one that there is, as sentence-transformers' cross-encoders learn, and the mean squared error of a
 * regression.
 */
public final class ClassificationObjective extends HeadObjective<LabelledText> {
    private static final Logger LOG = LoggerFactory.getLogger(ClassificationObjective.class);
    private static final double RATE_OF_NEW_HEAD = 0.5;

    private final TextEncoder encoder;
    private final double[] weights;
    private final boolean newHead;

    /**
     * An objective for a model.
     *
     * @throws ConfigurationException when the model was loaded for another task than SEQ_CLS
     */
    public ClassificationObjective(Model model) {
        this(model, TextEncoder.of(model), Map.of());
    }

    /**
     * As {@link #ClassificationObjective(Model)}.
     *
     * @param encoder makes the sequences, cut to its limit
     * @param classWeights by label, where not 1: the weight of its examples, as PyTorch's {@code weight}; where several
     *     labels can be right, the weight of the loss where it is right ({@code pos_weight}). Not for a regression
     */
    public ClassificationObjective(Model model, TextEncoder encoder, Map<String, Double> classWeights) {
        super(model, Task.Type.SEQ_CLS);
        this.encoder = Objects.requireNonNull(encoder, "encoder");
        this.newHead = task().problem() != Task.Problem.REGRESSION
                && !model.network().headed().untrained().isEmpty();
        this.weights = new double[task().labels().size()];
        Arrays.fill(weights, 1);
        classWeights.forEach((label, weight) -> {
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY) || task().problem() == Task.Problem.REGRESSION) {
                throw new ConfigurationException("the weight of label '" + label + "' is " + weight
                        + "; a weight is above 0, and a regression has none");
            }
            weights[task().label(label)] = weight;
        });
    }

    @Override
    public String name() {
        return "classification";
    }

    @Override
    public double autoRateFactor() {
        return newHead ? RATE_OF_NEW_HEAD : 1;
    }

    @Override
    public double learnedShare() {
        return task().problem() != Task.Problem.REGRESSION ? 0.97 : 0;
    }

    @Override
    public List<EncodedExample> encode(LabelledText example) {
        TokenSequence sequence = example.second().map(second -> encoder.pair(example.text(), second))
                .orElseGet(() -> encoder.text(example.text()));
        float[] targets = switch (task().problem()) {
            case SINGLE_LABEL -> example.probabilities().isEmpty() ? new float[] {task().label(one(example))}
                    : soft(example);
            case MULTI_LABEL -> several(example);
            case REGRESSION -> example.numbers(task().labels().size());
        };
        return List.of(EncodedExample.of(sequence, weight(targets), targets));
    }

    /** Of uncertain labels the mean of their weights. */
    private double weight(float... targets) {
        return task().problem() != Task.Problem.SINGLE_LABEL ? 1 : targets.length == 1 ? weights[(int) targets[0]]
                : IntStream.range(0, targets.length).mapToDouble(i -> weights[i] * targets[i]).sum();
    }

    /** The probability of each of the model's labels. */
    private float[] soft(LabelledText example) {
        float[] targets = new float[task().labels().size()];
        for (int i = 0; i < example.labels().size(); i++) {
            targets[task().label(example.labels().get(i))] += example.probabilities().get(i).floatValue();
        }
        return targets;
    }

    @Override
    int limit() {
        return encoder.limit();
    }

    @Override
    boolean isCut(LabelledText example) {
        return example.second().map(second -> encoder.cuts(example.text(), second))
                .orElseGet(() -> encoder.cuts(example.text()));
    }

    private String one(LabelledText example) {
        if (example.labels().size() != 1) {
            throw new ConfigurationException("a text has the labels " + example.labels() + "; exactly one of "
                    + task().labels() + " is right here. Load the model with Task.multiLabel where several can be");
        }
        return example.labels().get(0);
    }

    private float[] several(LabelledText example) {
        if (task().labels().size() == 1) {
            return new float[] {(float) example.probability(task().labels().get(0))};
        }
        if (!example.probabilities().isEmpty()) {
            return soft(example);
        }
        float[] right = new float[task().labels().size()];
        example.labels().forEach(label -> right[task().label(label)] = 1);
        return right;
    }

    @Override
    double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient) {
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            float[] targets = batch.get(i).targets();
            sum += switch (task().problem()) {
                case SINGLE_LABEL -> single(new CrossEntropy.Row(outputs, i * columns, 1, columns), targets,
                        batch.get(i).weight(), gradient);
                case MULTI_LABEL -> logistic(targets, outputs, i * columns, gradient);
                case REGRESSION -> squared(targets, outputs, i * columns, gradient);
            };
        }
        return sum;
    }

    /** Whether a text has all labels right; of a regression none. */
    @Override
    boolean[] right(List<EncodedExample> batch, float[] outputs, int columns) {
        boolean[] right = new boolean[learnedShare() > 0 ? batch.size() : 0];
        for (int i = 0; i < right.length; i++) {
            int first = i * columns;
            float[] targets = batch.get(i).targets();
            right[i] = task().problem() == Task.Problem.MULTI_LABEL
                    ? IntStream.range(0, columns).allMatch(j -> outputs[first + j] >= 0 == targets[j] >= 0.5)
                    : best(outputs, first, 1, columns) == (targets.length == 1 ? (int) targets[0]
                            : best(targets, 0, 1, columns));
        }
        return right;
    }

    /** Of uncertain labels the losses of all of them, each times its weight and its probability. */
    private double single(CrossEntropy.Row row, float[] targets, double weight, double[] gradient) {
        return targets.length == 1 ? CrossEntropy.of(row, (int) targets[0], weight, gradient)
                : IntStream.range(0, targets.length).filter(i -> targets[i] > 0)
                        .mapToDouble(i -> CrossEntropy.of(row, i, weights[i] * targets[i], gradient)).sum();
    }

    /** {@code p w log(1 + exp(-x)) + (1 - p) log(1 + exp(x))}, where the label is right with the probability p. */
    private double logistic(float[] right, float[] outputs, int first, double[] gradient) {
        double sum = 0;
        for (int i = 0; i < right.length; i++) {
            double x = outputs[first + i];
            double yes = weights[i] * right[i] / right.length;
            double no = (1.0 - right[i]) / right.length;
            double rest = Math.log1p(Math.exp(-Math.abs(x)));
            sum += yes * (Math.max(-x, 0) + rest) + no * (Math.max(x, 0) + rest);
            gradient[first + i] = no / (1 + Math.exp(-x)) - yes / (1 + Math.exp(x));
        }
        return sum;
    }

    private static double squared(float[] numbers, float[] outputs, int first, double[] gradient) {
        double sum = 0;
        for (int i = 0; i < numbers.length; i++) {
            double difference = (double) outputs[first + i] - numbers[i];
            sum += difference * difference / numbers.length;
            gradient[first + i] = 2 * difference / numbers.length;
        }
        return sum;
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<LabelledText> {
        /** What is registered. */
        public Type() {
            super("classification", RowKind.TEXTS,
                    "{\"text\", \"label\"}, with \"text_pair\"; \"label_probabilities\" where "
                            + "they are uncertain, a list where several can be right, a number with a point for a "
                            + "regression, a number from 0 to 1 where a model with one output judges pairs",
                    Labels::ofTexts,
                    ClassificationObjective::new);
        }

        @Override
        public Optional<Task> task(Task own, List<LabelledText> examples) {
            Optional<Task> chosen = Labels.ofOneOutput(own, examples);
            chosen.filter(task -> own.problem() == Task.Problem.REGRESSION).ifPresent(task -> LOG.info(
                    "the model has one output and all rows are pairs with labels from 0 to 1: learning them by binary "
                            + "cross-entropy, as a cross-encoder"));
            return chosen;
        }
    }
}
