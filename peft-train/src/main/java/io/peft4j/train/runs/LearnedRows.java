package io.peft4j.train.runs;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Which rows a training has learned, and what began its end. A row is learned when all of it was predicted right as it
 * was seen last: each token of an answer was the likeliest, or the label was right. General rows that are mixed in
 * against forgetting are not among them.
 *
 * @param learned number of rows that are learned
 * @param rows number of rows
 * @param unlearned the numbers of the others, in their order
 * @param reason why the rate began to fall when it did
 * @param stableEpochs epochs before that
 * @param epochs epochs in all
 */
public record LearnedRows(long learned, long rows, List<Long> unlearned, Reason reason, double stableEpochs,
        double epochs) {
    /** The most numbers of rows that are shown. */
    private static final int SHOWN = 20;

    /** Why the rate of a training began to fall, or why it ended. */
    public enum Reason {
        /** The numbers of updates were given, and nothing decided. */
        GIVEN("trained as long as given"),
        /** The share of the rows that was waited for was learned. */
        LEARNED("enough was learned"),
        /** Neither the learned rows nor their loss had become better for two epochs. */
        NO_PROGRESS("nothing had improved for 2 epochs"),
        /** The measure on the validation data had not become better for two epochs. */
        VALIDATION("the validation data had not improved for 2 epochs"),
        /** There were no more epochs. */
        EPOCHS("ended by the bound of epochs"),
        /** There were no more updates. */
        MAX_STEPS("ended by the bound max_steps"),
        /** There was no more time. */
        TIME_BUDGET("ended by the bound time_budget");

        private final String words;

        Reason(String words) {
            this.words = words;
        }

        /** Whether what was learned ended it, and no limit. */
        public boolean isByItself() {
            return this == LEARNED || this == NO_PROGRESS || this == VALIDATION;
        }

        /** In words, for a log. */
        public String words() {
            return words;
        }
    }

    /** Copies the numbers. */
    public LearnedRows {
        unlearned = List.copyOf(unlearned);
    }

    /** The rows that are not learned and may be wrong: none where most are not learned since there was no time. */
    public List<Long> suspects() {
        return !reason.isByItself() && 2 * unlearned.size() > rows ? List.of() : unlearned;
    }

    /** What is not learned, as a sentence without its end; empty if all is. */
    public String listed() {
        return unlearned.isEmpty() ? "" : suspects().isEmpty()
                ? "most rows are not learned yet, so train longer before you look at single ones"
                : "not learned, so look whether they are wrong or contradict others: row "
                        + unlearned.stream().limit(SHOWN).map(String::valueOf).collect(Collectors.joining(", "))
                        + (unlearned.size() > SHOWN ? " and " + (unlearned.size() - SHOWN) + " more" : "");
    }

    /** In one line: how many are learned, why the training ended, and which are not. */
    @Override
    public String toString() {
        return summary() + (unlearned.isEmpty() ? "" : "; " + listed());
    }

    /** How many are learned, and why the training ended. */
    public String summary() {
        String course = reason == Reason.GIVEN ? String.format(Locale.ROOT, "after %.1f epochs", epochs)
                : String.format(Locale.ROOT, "after %.1f epochs: %s after %.1f, the rate fell over %.1f more", epochs,
                        reason.words, stableEpochs, epochs - stableEpochs);
        return learned + " of " + rows + " rows learned " + course;
    }
}
