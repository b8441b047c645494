package io.peft4j.eval.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.metric.internal.FactMatcher;
import io.peft4j.eval.task.internal.WordVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.evaluation.classification.ROC;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Classification by an answer in words, counted by ND4J's evaluation classes.
 *
 * @param labels the classes; an answer that names none of them, or more than one, is in a further class "no label"
 * @param evaluation ND4J's counts: confusion matrix, precision, recall and F1 of each class
 */
public record Classification(List<String> labels, Evaluation evaluation) {
    /** The class of answers that cannot be told. */
    public static final String NO_LABEL = "no label";

    /** Copies the list. */
    public Classification {
        labels = List.copyOf(labels);
    }

    /**
     * Counts answers.
     *
     * @param labels the classes, at least two
     * @param expected the right class of each item
     * @param answers what the model said
     * @throws ConfigurationException when the numbers differ or are 0, or an expected class is not among the labels
     */
    public static Classification of(List<String> labels, List<String> expected, List<String> answers) {
        if (labels.size() < 2 || expected.isEmpty() || expected.size() != answers.size()) {
            throw new ConfigurationException("a classification needs two labels, and an answer for each item; got "
                    + labels + ", " + expected.size() + " items and " + answers.size() + " answers");
        }
        List<String> all = new ArrayList<>(labels);
        all.add(NO_LABEL);
        INDArray right = Nd4j.zeros(expected.size(), all.size());
        INDArray said = Nd4j.zeros(expected.size(), all.size());
        for (int i = 0; i < expected.size(); i++) {
            int label = labels.indexOf(expected.get(i));
            if (label < 0) {
                throw new ConfigurationException("item " + (i + 1) + " has the class \"" + expected.get(i)
                        + "\"; the labels are " + labels);
            }
            right.putScalar(i, label, 1);
            said.putScalar(i, all.indexOf(labelOf(answers.get(i), labels)), 1);
        }
        Evaluation evaluation = new Evaluation(all);
        evaluation.eval(right, said);
        return new Classification(all, evaluation);
    }

    /** The one label that an answer names; {@link #NO_LABEL} where it names none or several. */
    public static String labelOf(String answer, List<String> labels) {
        List<String> named = labels.stream().filter(label -> names(answer, label)).toList();
        // "not approved" names "approved", too: a label that holds all others that are named is meant.
        return named.stream().filter(label -> named.stream().allMatch(other -> label.contains(other))).findFirst()
                .orElse(NO_LABEL);
    }

    private static boolean names(String answer, String label) {
        String words = " " + String.join(" ", WordVectors.words(answer)) + " ";
        String sought = String.join(" ", WordVectors.words(label));
        return sought.isEmpty() ? FactMatcher.contains(answer, label) : words.contains(" " + sought + " ");
    }

    /** The share of right answers. */
    public double accuracy() {
        return evaluation.accuracy();
    }

    /** The mean F1 of the labels; one that neither occurs nor is said counts as 0. */
    public double macroF1() {
        return IntStream.range(0, labels.size() - 1).mapToDouble(evaluation::f1)
                .map(f1 -> Double.isNaN(f1) ? 0 : f1).average().orElseThrow();
    }

    /**
     * Matthews' correlation coefficient of many classes (Gorodkin 2004), from -1 to 1; 0 where all answers or all
     * expected classes are the same.
     */
    public double matthewsCorrelation() {
        int k = labels.size();
        double right = 0;
        double[] expected = new double[k];
        double[] said = new double[k];
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < k; j++) {
                int count = evaluation.getConfusionMatrix().getCount(i, j);
                right += i == j ? count : 0;
                expected[i] += count;
                said[j] += count;
            }
        }
        double all = Arrays.stream(expected).sum();
        double both = IntStream.range(0, k).mapToDouble(i -> expected[i] * said[i]).sum();
        double spreads = (all * all - Arrays.stream(said).map(v -> v * v).sum())
                * (all * all - Arrays.stream(expected).map(v -> v * v).sum());
        return spreads == 0 ? 0 : (right * all - both) / Math.sqrt(spreads);
    }

    /**
     * The area under the ROC curve of a yes/no classification, exact.
     *
     * @param probabilities of yes
     * @param yes whether yes is right
     */
    public static double areaUnderRoc(double[] probabilities, boolean[] yes) {
        if (probabilities.length == 0 || probabilities.length != yes.length) {
            throw new ConfigurationException(probabilities.length + " probabilities of " + yes.length + " items");
        }
        INDArray labels = Nd4j.zeros(yes.length, 1);
        INDArray scores = Nd4j.create(probabilities).reshape(yes.length, 1);
        for (int i = 0; i < yes.length; i++) {
            labels.putScalar(i, 0, yes[i] ? 1 : 0);
        }
        ROC roc = new ROC(0);
        roc.eval(labels, scores);
        return roc.calculateAUC();
    }
}
