package io.peft4j.core.decision;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What was fitted to a model's answers on rows that were kept apart, one entry for each question that stood in them.
 *
 * @param questions the entries; a question that has none gets its temperature alone
 * @param states what stood in the rows, so that a test notices those that it is given again
 */
@Internal(shared = true)
public record DecisionCalibration(List<Entry> questions, @Internal TrainedStates states) {
    /** Nothing was fitted. */
    public static final DecisionCalibration NONE = new DecisionCalibration(List.of());

    /** Copies the list. Files of before have no states. */
    public DecisionCalibration {
        questions = List.copyOf(questions);
        states = Objects.requireNonNullElse(states, TrainedStates.NONE);
    }

    /** What was fitted to rows of which nothing is known. */
    public DecisionCalibration(List<Entry> questions) {
        this(questions, TrainedStates.NONE);
    }

    /**
     * What was fitted to one question: {@code p = isotonic(softmax(weights * logits + biases))}.
     *
     * @param type the kind of the question
     * @param instructions its text
     * @param options the names of its options
     * @param method how it was fitted: {@code none}, {@code temperature}, {@code bias}, {@code vector} or
     *     {@code isotonic}
     * @param reason why this one, as a sentence
     * @param rows how many rows it was fitted on
     * @param weights a factor for each logit
     * @param biases what is added to each
     * @param from probabilities, ascending; none where the method is not isotonic
     * @param to what stands for them
     * @param thresholds probabilities from which on answers are right often enough, by the wanted error
     * @param conformal how unlikely an option may be to belong to a set that holds the right one
     */
    public record Entry(String type, String instructions, List<String> options, String method, String reason,
            int rows, List<Double> weights, List<Double> biases, List<Double> from, List<Double> to,
            List<Threshold> thresholds, List<Conformal> conformal) {
        /** Copies and checks the lists. */
        public Entry {
            options = List.copyOf(options);
            weights = List.copyOf(weights);
            biases = List.copyOf(biases);
            from = List.copyOf(from);
            to = List.copyOf(to);
            thresholds = List.copyOf(thresholds);
            conformal = List.copyOf(conformal);
            if (weights.size() != options.size() || biases.size() != options.size() || from.size() != to.size()) {
                throw new ConfigurationException("a calibration of " + options + " has " + weights.size()
                        + " weights, " + biases.size() + " biases, and " + from.size() + " steps to " + to.size());
            }
        }

        boolean isOf(DecisionQuestion question) {
            return type.equals(question.kind().word()) && instructions.equals(question.text())
                    && options.equals(question.names());
        }

        /** The probabilities of logits. */
        public double[] applied(double... logits) {
            double[] scaled = new double[logits.length];
            Arrays.setAll(scaled, i -> weights.get(i) * logits[i] + biases.get(i));
            double[] plain = softmax(scaled);
            if (from.isEmpty()) {
                return plain;
            }
            double[] mapped = Arrays.stream(plain).map(this::mapped).toArray();
            double sum = Arrays.stream(mapped).sum();
            return sum > 0 ? Arrays.stream(mapped).map(p -> p / sum).toArray() : plain;
        }

        /** Between two steps on the line from one to the other, so that equal answers stay equal and others apart. */
        private double mapped(double p) {
            int above = 0;
            while (above < from.size() && from.get(above) < p) {
                above++;
            }
            if (above == 0 || above == from.size()) {
                return to.get(above == 0 ? 0 : above - 1);
            }
            double left = from.get(above - 1);
            double share = (p - left) / (from.get(above) - left);
            return to.get(above - 1) + share * (to.get(above) - to.get(above - 1));
        }

        /** The threshold for a wanted error. */
        public Optional<Threshold> threshold(double error) {
            return thresholds.stream().filter(each -> Math.abs(each.error() - error) < 1e-9).findFirst();
        }
    }

    /**
     * From which probability on answers are right often enough to go without a person.
     *
     * @param error the most of them that may be wrong
     * @param probability the least probability of the likeliest option; above 1 where no answer is certain enough
     * @param coverage the share of answers that are as certain
     * @param low the low end of the 95 % interval of the coverage
     * @param high the high end
     */
    public record Threshold(double error, double probability, double coverage, double low, double high) {
    }

    /**
     * A set of options for each answer that holds the right one often enough
     * (<a href="https://arxiv.org/abs/2107.07511">2107.07511</a>).
     *
     * @param coverage the share of sets that hold it, in the mean over rows like those that were kept apart
     * @param score options with a probability of at least {@code 1 - score} belong to the set
     */
    public record Conformal(double coverage, double score) {
    }

    /** What was fitted to a question. */
    public Optional<Entry> of(DecisionQuestion question) {
        return questions.stream().filter(entry -> entry.isOf(question)).findFirst();
    }

    /**
     * The options that a set with the wanted coverage holds, the likeliest first; at least that one.
     *
     * @throws ConfigurationException when no such sets were fitted to the question
     */
    public List<String> set(DecisionAnswer answer, double coverage) {
        Conformal fitted = of(answer.question()).stream().flatMap(entry -> entry.conformal().stream())
                .filter(each -> Math.abs(each.coverage() - coverage) < 1e-9).findFirst()
                .orElseThrow(() -> new ConfigurationException("no sets with coverage " + coverage + " were fitted to "
                        + "the question '" + answer.question().text() + "'; calibrate the model on rows with it"));
        List<Integer> order = new ArrayList<>(IntStream.range(0, answer.probabilities().size()).boxed().toList());
        order.sort((a, b) -> Double.compare(answer.probabilities().get(b), answer.probabilities().get(a)));
        return order.stream().filter(i -> i == answer.best() || answer.probabilities().get(i) >= 1 - fitted.score())
                .map(i -> answer.question().options().get(i).name()).toList();
    }

    /** Probabilities of logits. */
    public static double[] softmax(double... logits) {
        double max = Arrays.stream(logits).max().orElseThrow();
        double[] exponentials = Arrays.stream(logits).map(logit -> Math.exp(logit - max)).toArray();
        double sum = Arrays.stream(exponentials).sum();
        return Arrays.stream(exponentials).map(value -> value / sum).toArray();
    }
}
