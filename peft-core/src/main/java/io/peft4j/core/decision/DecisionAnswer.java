package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a model says to a question: a probability for each option, or that the question is left to a person.
 *
 * @param question the question
 * @param probabilities of its options in their order, not rounded; they sum to 1
 * @param refused whether the answer is less certain than was asked for; the probabilities are there all the same
 */
public record DecisionAnswer(DecisionQuestion question, List<Double> probabilities, boolean refused) {
    /** Checks that there is a probability for each option. */
    public DecisionAnswer {
        Objects.requireNonNull(question, "question");
        probabilities = List.copyOf(probabilities);
        if (probabilities.size() != question.options().size()) {
            throw new ConfigurationException(probabilities.size() + " probabilities for "
                    + question.options().size() + " options");
        }
    }

    /** The number of the likeliest option, the first of several. */
    public int best() {
        return IntStream.range(0, probabilities.size()).boxed()
                .max((a, b) -> probabilities.get(a) < probabilities.get(b) ? -1
                        : probabilities.get(a) > probabilities.get(b) ? 1 : Integer.compare(b, a))
                .orElseThrow();
    }

    /** The name of the likeliest option. */
    public String choice() {
        return question.options().get(best()).name();
    }

    /** The probability of an option, such as {@code true} of a question whether something holds. */
    public double probability(String option) {
        return probabilities.get(question.option(option));
    }

    /** The mean of the numbers of the options, which is the level of a score. */
    public double score() {
        return IntStream.range(0, probabilities.size()).mapToDouble(i -> i * probabilities.get(i)).sum();
    }

    /**
     * How far the answer is from saying nothing, from 0 to 1, as Transformers has it: of a choice
     * {@code (p - 1/n) / (1 - 1/n)}; of a score 1 less the mean distance from the likeliest level, in units of that of
     * the uniform distribution. It is no probability; that is {@link #probabilities}.
     */
    public double confidence() {
        int n = probabilities.size();
        int best = best();
        if (question.kind() != DecisionQuestion.Kind.SCORE) {
            return Math.max(0, (probabilities.get(best) - 1.0 / n) / (1 - 1.0 / n));
        }
        double distance = IntStream.range(0, n).mapToDouble(i -> probabilities.get(i) * Math.abs(i - best)).sum();
        double uniform = IntStream.range(0, n).mapToDouble(i -> Math.abs(i - (n - 1) / 2.0)).sum() / n;
        return Math.max(0, 1 - distance / uniform);
    }

    /** The answer in System One's form; {@code "refused": true} is added to one that is, for which that has no word. */
    public ObjectNode toJson() {
        ObjectNode node = JsonNodeFactory.instance.objectNode().put("type", question.kind().word());
        if (refused) {
            node.put("refused", true);
        }
        if (question.kind() == DecisionQuestion.Kind.NOUL) {
            return node.put("noul", probability("true"));
        }
        if (question.kind() == DecisionQuestion.Kind.CHOICE) {
            node.put("choice", choice());
        } else {
            node.put("score", score());
            ObjectNode legend = node.putObject("legend");
            question.options().forEach(level -> legend.set(level.name(), level.description()));
        }
        node.put("confidence", confidence());
        ObjectNode named = node.putObject("probabilities");
        IntStream.range(0, probabilities.size())
                .forEach(i -> named.put(question.options().get(i).name(), probabilities.get(i)));
        return node;
    }
}
