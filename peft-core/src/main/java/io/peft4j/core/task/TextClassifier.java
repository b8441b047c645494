package io.peft4j.core.task;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Says which class a text is of.
 *
 * <pre>{@code
 * TextClassifier classifier = new TextClassifier(model);
 * System.out.println(classifier.classify("I was charged twice").label());
 * }</pre>
 */
public final class TextClassifier {
    private final Model model;
    private final Task task;

    /**
     * A classifier.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model was loaded for another task than SEQ_CLS
     */
    public TextClassifier(Model model) {
        this.model = Objects.requireNonNull(model, "model");
        this.task = HeadPasses.require(model, Task.Type.SEQ_CLS);
    }

    /**
     * What a text is.
     *
     * @param labels the classes that it is of: the most likely one, or, where several can be right, all with a
     *     probability of at least one half; of a regression none
     * @param scores for each label its probability, or of a regression the number, in the order of the labels
     */
    public record Classification(List<String> labels, Map<String, Double> scores) {
        /** Copies both. */
        public Classification {
            labels = List.copyOf(labels);
            scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
        }

        /** The label with the highest score. */
        public String label() {
            return Collections.max(scores.entrySet(), Map.Entry.comparingByValue()).getKey();
        }
    }

    /** Classifies a text. */
    public Classification classify(String text) {
        return classify(List.of(text)).get(0);
    }

    /** Classifies texts, in their order. */
    public List<Classification> classify(List<String> texts) {
        return logits(texts).stream().map(this::classification).toList();
    }

    /** The head's outputs for each text, one for each label: logits, or of a regression the numbers. */
    public List<float[]> logits(List<String> texts) {
        TextEncoder encoder = TextEncoder.of(model);
        return logitsOf(texts.stream().map(encoder::text).toList());
    }

    /** As {@link #logits}, for sequences that are encoded already. */
    public List<float[]> logitsOf(List<TokenSequence> sequences) {
        return HeadPasses.outputs(model, sequences);
    }

    /** What the {@link #logitsOf} a sequence say. */
    public Classification classification(float[] logits) {
        double[] scores = switch (task.problem()) {
            case SINGLE_LABEL -> softmax(logits);
            case MULTI_LABEL -> logistic(logits);
            case REGRESSION -> io.peft4j.core.array.Arrays.doubles(logits);
        };
        Map<String, Double> named = new LinkedHashMap<>();
        List<String> chosen = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            named.put(task.labels().get(i), scores[i]);
            if (task.problem() == Task.Problem.MULTI_LABEL && scores[i] >= 0.5) {
                chosen.add(task.labels().get(i));
            }
        }
        Classification all = new Classification(chosen, named);
        return task.problem() == Task.Problem.SINGLE_LABEL ? new Classification(List.of(all.label()), named) : all;
    }

    /** The logistic function of each. */
    static double[] logistic(float[] logits) {
        double[] scores = new double[logits.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = 1 / (1 + Math.exp(-logits[i]));
        }
        return scores;
    }

    /** Probabilities of logits. */
    static double[] softmax(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double[] scores = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp(logits[i] - max);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] /= sum;
        }
        return scores;
    }
}
