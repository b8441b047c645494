package io.peft4j.serve.rescue;

import io.peft4j.core.Internal;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Old and new model on the same questions.
 *
 * @param questions how many
 * @param before the share of right answers of the old model
 * @param after that of the new one
 * @param difference interval of the difference, 95 %, by question
 * @param lost questions that the old model answered right more often than not, and the new one does not
 * @param won the other way round
 * @param secondsBefore mean time of an answer of the old model, the way to it included
 * @param secondsAfter that of the new one
 */
@Internal(shared = true)
public record ModelComparison(int questions, double before, double after, Interval difference, List<Item> lost,
        List<Item> won, double secondsBefore, double secondsAfter) {
    private static final double MORE_OFTEN_THAN_NOT = 0.5;
    /** The loss that goes unnoticed among a rescue's questions. */
    private static final double ACCEPTED = 0.05;

    /**
     * A question.
     *
     * @param question what was asked
     * @param expected what the data say
     * @param before the old model's likeliest answer
     * @param after the new one's
     * @param rightBefore the share of the old model's answers that are right
     * @param rightAfter the share of the new one's
     */
    public record Item(String question, String expected, String before, String after, double rightBefore,
            double rightAfter) {
    }

    /** Copies the lists. */
    public ModelComparison {
        lost = List.copyOf(lost);
        won = List.copyOf(won);
    }

    /**
     * What to do, by the interval of the paired difference: take the new model where a loss of more than 5 points is
     * ruled out, keep the old one where it is surely better, else ask more questions.
     */
    public String verdict() {
        return difference.high() < 0 ? "do not take its place: it is worse"
                : difference.low() >= -ACCEPTED ? "takes its place: a loss of more than 5 points is ruled out"
                        : "not decided: a loss of more than 5 points is possible; ask more questions";
    }

    static ModelComparison of(RecordedAnswers old, RecordedAnswers now) {
        double[] before = old.right();
        double[] after = now.right();
        double[] differences = new double[before.length];
        List<Item> lost = new ArrayList<>();
        List<Item> won = new ArrayList<>();
        for (int i = 0; i < before.length; i++) {
            differences[i] = after[i] - before[i];
            boolean had = before[i] >= MORE_OFTEN_THAN_NOT;
            boolean has = after[i] >= MORE_OFTEN_THAN_NOT;
            if (had != has) {
                (had ? lost : won).add(item(old, now, i, before[i], after[i]));
            }
        }
        return new ModelComparison(before.length, mean(before), mean(after), Bootstrap.defaults()
                .ofDifferences(differences), lost, won, old.seconds(), now.seconds());
    }

    private static Item item(RecordedAnswers old, RecordedAnswers now, int i, double before, double after) {
        return new Item(old.items().get(i).question(), old.items().get(i).expected(), first(old.texts(i)),
                first(now.texts(i)), before, after);
    }

    private static String first(List<String> texts) {
        return texts.isEmpty() ? "" : texts.get(0);
    }

    private static double mean(double... values) {
        return Arrays.stream(values).average().orElse(0);
    }
}
