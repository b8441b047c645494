package io.peft4j.data.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Reads out of examples what a model for them has to tell apart. */
public final class Labels {
    private static final String NUMBER = "-?\\d+(\\.\\d+)?([eE][-+]?\\d+)?";

    private Labels() {
    }

    /**
     * The task of texts with labels: names in the order of the alphabet; where all are whole numbers, as many labels
     * without names as the largest says; several can be right where one of the texts has more or fewer than one label;
     * and a regression where labels are numbers of which one is not whole.
     *
     * @throws ConfigurationException when some labels are numbers, one of them not whole, and others are not, where
     *     numbers are the most, or most of them stand once: as names each of them would be a class
     */
    public static Task ofTexts(List<LabelledText> texts) {
        List<String> all = texts.stream().flatMap(text -> text.labels().stream()).toList();
        boolean one = texts.stream().allMatch(text -> text.labels().size() == 1 || !text.probabilities().isEmpty());
        int width = texts.get(0).labels().size();
        if (isRegression(all) && texts.stream().allMatch(text -> text.labels().size() == width)) {
            return new Task(Task.Type.SEQ_CLS, Task.unnamedLabels(width), Task.Problem.REGRESSION);
        }
        return new Task(Task.Type.SEQ_CLS, names(all), one ? Task.Problem.SINGLE_LABEL : Task.Problem.MULTI_LABEL);
    }

    /**
     * The task of a model with one output, where that can learn the texts as they are: with the logistic loss, as a
     * cross-encoder, when all are pairs with numbers from 0 to 1.
     *
     * @param own what the model alone is for: a regression that was not stated learns pairs, a model with one label
     *     also single texts
     */
    public static Optional<Task> ofOneOutput(Task own, List<LabelledText> texts) {
        boolean one = own.type() == Task.Type.SEQ_CLS && own.labels().size() == 1
                && (own.problem() == Task.Problem.MULTI_LABEL
                        || own.problem() == Task.Problem.REGRESSION && !own.stated());
        boolean learned = one && texts.stream().allMatch(text -> (text.second().isPresent()
                || own.problem() == Task.Problem.MULTI_LABEL)
                && text.labels().stream().allMatch(Labels::isProbability));
        return learned ? Optional.of(new Task(own.type(), own.labels(), Task.Problem.MULTI_LABEL)) : Optional.empty();
    }

    static boolean isProbability(String label) {
        return label.matches(NUMBER) && Double.parseDouble(label) >= 0 && Double.parseDouble(label) <= 1;
    }

    /** The task of words, some without a label; {@code O}, the label of those outside of entities, comes first. */
    public static Task ofWords(List<LabelledWords> texts) {
        List<String> names = new ArrayList<>(names(texts.stream().flatMap(text -> text.labelled(text.labels())
                .stream()).toList()));
        if (names.remove("O")) {
            names.add(0, "O");
        }
        return new Task(Task.Type.TOKEN_CLS, names, Task.Problem.SINGLE_LABEL);
    }

    private static boolean isRegression(List<String> labels) {
        List<String> others = labels.stream().filter(label -> !label.matches(NUMBER)).toList();
        List<String> numbers = labels.stream().filter(label -> label.matches(NUMBER)).toList();
        if (numbers.stream().allMatch(label -> label.matches("\\d+"))) {
            return false;
        }
        // Names such as the versions 2.0 and 3.1 stand in many rows, measured numbers hardly twice.
        boolean measured = numbers.size() > 2 && 2 * numbers.stream().distinct().count() > numbers.size();
        if (!others.isEmpty() && (measured || numbers.size() > others.size())) {
            throw new ConfigurationException("of " + labels.size() + " labels all but " + others.size()
                    + " are numbers, but '" + others.get(0) + "' is not; correct it, or remove its row (a regression "
                    + "needs numbers such as 0.5 or -3)");
        }
        return others.isEmpty();
    }

    private static List<String> names(List<String> labels) {
        if (!labels.isEmpty() && labels.stream().allMatch(label -> label.matches("\\d{1,4}"))) {
            return Task.unnamedLabels(labels.stream().mapToInt(Integer::parseInt).max().orElseThrow() + 1);
        }
        return List.copyOf(new TreeSet<>(labels));
    }
}
