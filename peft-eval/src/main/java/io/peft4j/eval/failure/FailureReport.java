package io.peft4j.eval.failure;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.internal.WordVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a tuned model got wrong, grouped by what the questions have in common.
 *
 * @param wrong indexes of the items that tuned got wrong
 * @param regressions indexes of those among them that the base model had right
 * @param groups the wrong items in groups, the most telling first; every wrong item is in one group. None where all
 *     items are wrong: then nothing tells them from others
 */
public record FailureReport(List<Integer> wrong, List<Integer> regressions, List<FailureGroup> groups) {
    /** As similar as other wordings of one question usually are. */
    private static final double NEAR = 0.35;
    /** Wordings of a fact that small models need to learn it, by the handbook of the examples. */
    private static final int USUAL_SUPPORT = 4;
    private static final int LEAST_SUPPORT = 2;

    /** Copies the lists. */
    public FailureReport {
        wrong = List.copyOf(wrong);
        regressions = List.copyOf(regressions);
        groups = List.copyOf(groups);
    }

    /**
     * Looks for what the failures have in common.
     *
     * @param items the items
     * @param baseRight which the base model had right
     * @param tunedRight which the tuned model had right
     * @param trainingQuestions what the training examples ask; empty where they are not known
     */
    public static FailureReport of(List<EvaluationItem> items, boolean[] baseRight, boolean[] tunedRight,
            List<String> trainingQuestions) {
        if (baseRight.length != items.size() || tunedRight.length != items.size()) {
            throw new ConfigurationException(baseRight.length + " and " + tunedRight.length + " outcomes of "
                    + items.size() + " items");
        }
        List<Integer> wrong = IntStream.range(0, items.size()).filter(i -> !tunedRight[i]).boxed().toList();
        List<Integer> regressions = wrong.stream().filter(i -> baseRight[i]).toList();
        WordVectors training = new WordVectors(trainingQuestions);
        double[] nearest = new double[items.size()];
        int[] support = new int[items.size()];
        for (int i = 0; i < nearest.length; i++) {
            double[] similarities = training.similarities(items.get(i).question());
            nearest[i] = Arrays.stream(similarities).max().orElse(Double.NaN);
            support[i] = (int) Arrays.stream(similarities).filter(s -> s >= NEAR).count();
        }
        int usual = trainingQuestions.isEmpty() ? USUAL_SUPPORT : usualSupport(support, tunedRight);
        List<FailureGroup> groups = new ArrayList<>();
        for (CommonTerms.Group group : wrong.size() == items.size() ? List.<CommonTerms.Group>of()
                : new CommonTerms(items.stream().map(EvaluationItem::question).toList(), wrong).groups()) {
            int collect = group.items().stream().mapToInt(i -> Math.max(LEAST_SUPPORT, usual - support[i])).sum();
            groups.add(new FailureGroup(group.term(), group.items(), group.all(),
                    group.items().stream().mapToInt(i -> WordVectors.words(items.get(i).question()).size()).average()
                            .orElse(0),
                    group.items().stream().mapToDouble(i -> nearest[i]).average().orElse(Double.NaN), collect));
        }
        return new FailureReport(wrong, regressions, groups);
    }

    /** The middle number of near training examples among the items that were learned. */
    private static int usualSupport(int[] support, boolean[] right) {
        int[] learned = IntStream.range(0, support.length).filter(i -> right[i]).map(i -> support[i]).sorted()
                .toArray();
        int middle = learned.length == 0 ? USUAL_SUPPORT : learned[learned.length / 2];
        return Math.min(2 * USUAL_SUPPORT, Math.max(LEAST_SUPPORT, middle));
    }

    /** Lines for people: {@code Collect about 12 examples like these (hotel; 3 of 6 wrong): ...}. */
    public List<String> collectNext(List<EvaluationItem> items) {
        if (groups.isEmpty() && !wrong.isEmpty()) {
            return List.of("No item is right, so that nothing tells what examples are missing. See first whether the "
                    + "model has learned its training data (the loss at the end, more epochs, a higher learning rate), "
                    + "and read the answers.");
        }
        return groups.stream().map(group -> "Collect about " + Count.of(group.examplesToCollect(), "example")
                + (group.common().equals(CommonTerms.OTHER) ? " like these, which have no word in common ("
                        + group.items().size() + " wrong): "
                        : " like these (" + group.common() + "; " + group.items().size() + " of "
                                + group.itemsLikeThese() + " wrong): ")
                + String.join(" / ", group.items().stream().limit(3).map(i -> items.get(i).question()).toList()))
                .toList();
    }
}
