package io.peft4j.eval.comparison;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How well a tuned model has learned the rows that it was trained on, which tells why it misses held-out ones.
 *
 * @param asked number of those rows that it was asked, 0 where none
 * @param right number of these that it answers right, judged as held-out items are
 * @param heldOut the share of held-out items that it answers right, from 0 to 1
 * @param missed some held-out questions that it answers wrong
 * @param ending how the training ended, where that is known
 */
public record OwnRows(int asked, int right, double heldOut, List<String> missed, Optional<Ending> ending) {
    /** The share of rows from which on they count as learned; as much is asked of held-out ones. */
    private static final double LEARNED = 0.9;
    /** A model that is right less often is not shipped while there is something left to learn. */
    private static final double FINISHED = 0.8;

    /**
     * How a training ended.
     *
     * @param rows number of rows that it learned from
     * @param unlearned number of these that were not learned
     * @param words why it ended
     */
    public record Ending(long rows, long unlearned, String words) {
    }

    /**
     * {@code not_learned} where rows of the training are wrong, {@code not_carried_over} where held-out ones are and
     * these are not, else {@code good}; empty where no row was asked.
     */
    public String finding() {
        return asked == 0 ? ""
                : right < LEARNED * asked ? "not_learned" : heldOut < LEARNED ? "not_carried_over" : "good";
    }

    /** The verdict with what these rows say; one that would ship may not be finished. */
    public Verdict in(Verdict verdict, MetricResult metric) {
        double share = asked > 0 ? heldOut : metric.test().equals("mcnemar_exact") ? metric.tuned() : 1;
        String unlearned = unlearned();
        boolean open = verdict.ships() && share < FINISHED && !unlearned.isEmpty();
        String further = open && List.of("", "not_learned").contains(finding()) ? "Continue the training." : "";
        List<String> sentences = Stream.of(List.of(open ? "Better, and not finished: " + unlearned + "." : ""),
                verdict.sentences(), found(open || ending.isEmpty() ? "" : unlearned), List.of(further))
                .flatMap(List::stream).toList();
        return verdict.withDecision(open ? Verdict.Decision.NOT_FINISHED : verdict.decision())
                .withSentences(sentences).withOwnRows(this);
    }

    /** By the training's own account, else by the answers; empty where all is learned. */
    private String unlearned() {
        String wrong = finding().equals("not_learned")
                ? asked - right + " of " + asked + " rows that it was trained on "
                        + "are wrong"
                : "";
        return ending.map(end -> end.unlearned() == 0 ? "" : end.unlearned() + " of " + end.rows()
                + " rows were not learned (training: " + end.words() + ")").orElse(wrong);
    }

    private List<String> found(String unlearned) {
        String shares = String.format(Locale.ROOT, "of %d rows that it was trained on %d are right, of held-out items "
                + "%.0f %%", asked, right, 100 * heldOut);
        return switch (finding()) {
            case "not_learned" -> List.of("Not learned: " + shares + (unlearned.isEmpty() ? "" : "; " + unlearned)
                    + ".", "Train longer, with a higher rank or on more layers.");
            case "not_carried_over" -> List.of("Learned and not carried over to new wordings: " + shares + ".",
                    "Add more wordings to the training data, such as of " + missed.stream()
                            .map(text -> '"' + text + '"').collect(Collectors.joining(", "))
                            + ".");
            case "good" -> List.of("Learned well: " + shares + ".");
            default -> List.of();
        };
    }

    void putInto(ObjectNode node) {
        node.put("n", asked).put("right", right).put("finding", finding());
        ending.ifPresent(end -> node.put("rows", end.rows()).put("unlearned", end.unlearned())
                .put("ending", end.words()));
    }
}
