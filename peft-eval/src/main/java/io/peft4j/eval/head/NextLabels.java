package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.task.WordVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which rows to label next: of the {@value #POOL} N whose answers are nearest to the threshold, N that are unlike each
 * other and what is labelled. The first is the nearest; each other one the row whose largest similarity to those, the
 * cosine of word counts weighted by rarity, is the smallest.
 *
 * @param row the number of the row, from 0
 * @param question the name of its question whose answer is nearest to the threshold
 * @param distance how far the probability of that answer is from it
 */
@Internal(shared = true)
public record NextLabels(int row, String question, double distance) {
    private static final int POOL = 4;

    /**
     * Chooses rows.
     *
     * @param results the answers to each row
     * @param texts the rows' states
     * @param labelled states that are labelled already
     * @param fitted the thresholds
     * @param error the wanted share of wrong answers; without one, or a threshold for it, the rows come first
     *     whose likeliest option has the least probability above that of a guess
     * @param count how many are wanted, at least 1
     * @throws ConfigurationException when no row is wanted
     */
    public static List<NextLabels> of(List<DecisionResult> results, List<String> texts, List<String> labelled,
            DecisionCalibration fitted, OptionalDouble error, int count) {
        if (count < 1) {
            throw new ConfigurationException("the rows to label are " + count + "; ask for at least 1");
        }
        List<NextLabels> near = IntStream.range(0, results.size()).mapToObj(row -> nearest(row, results.get(row),
                fitted, error)).sorted(Comparator.comparingDouble(NextLabels::distance)).limit((long) POOL * count)
                .toList();
        WordVectors words = new WordVectors(Stream.concat(near.stream().map(each -> texts.get(each.row())),
                labelled.stream()).toList());
        double[] likeness = new double[near.size()];
        labelled.forEach(text -> raise(likeness, words.similarities(text)));
        List<NextLabels> chosen = new ArrayList<>();
        boolean[] taken = new boolean[near.size()];
        while (chosen.size() < Math.min(count, near.size())) {
            int next = chosen.isEmpty() ? 0 : IntStream.range(0, near.size()).filter(i -> !taken[i]).boxed()
                    .min(Comparator.comparingDouble(i -> likeness[i])).orElseThrow();
            taken[next] = true;
            chosen.add(near.get(next));
            raise(likeness, words.similarities(texts.get(near.get(next).row())));
        }
        return chosen;
    }

    private static void raise(double[] likeness, double... similar) {
        Arrays.setAll(likeness, i -> Math.max(likeness[i], similar[i]));
    }

    private static NextLabels nearest(int row, DecisionResult result, DecisionCalibration fitted,
            OptionalDouble error) {
        return result.answers().entrySet().stream().map(answer -> new NextLabels(row, answer.getKey(),
                distance(answer.getValue(), fitted, error))).min(Comparator.comparingDouble(NextLabels::distance))
                .orElseThrow();
    }

    private static double distance(DecisionAnswer answer, DecisionCalibration fitted, OptionalDouble error) {
        double threshold = error.isEmpty() ? 0 : fitted.of(answer.question())
                .flatMap(entry -> entry.threshold(error.getAsDouble()))
                .map(DecisionCalibration.Threshold::probability).orElse(0.0);
        double guess = threshold == 0 ? 1.0 / answer.probabilities().size() : threshold;
        return Math.abs(answer.probabilities().get(answer.best()) - guess);
    }
}
