package io.peft4j.eval.comparison;

import java.util.Locale;
import java.util.Objects;

/**
 * What to do with a tuned model, in one sentence.
 *
 * @param decision ship, do not ship, or measure more first
 * @param itemsNeeded about how many more items are needed to decide; 0 where the decision stands
 * @param sentence the reason in plain words, with the numbers behind it
 */
public record Verdict(Decision decision, int itemsNeeded, String sentence) {
    /** The three ends of an evaluation. */
    public enum Decision {
        /** Better than chance explains, and nothing else was lost. */
        SHIP,
        /** Worse, not better by anything worth having, or at the cost of something else. */
        DO_NOT_SHIP,
        /** These items cannot tell. */
        NEED_MORE_ITEMS;

        /** {@code ship}, {@code do_not_ship} or {@code need_more_items}, as in JSON. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Refuses null. */
    public Verdict {
        Objects.requireNonNull(decision, "decision");
        Objects.requireNonNull(sentence, "sentence");
    }

    /** {@code ship: 81 % of answers hold the expected fact against 5 %, ...}. */
    @Override
    public String toString() {
        return decision.key().replace('_', ' ') + ": " + sentence;
    }
}
