package io.peft4j.eval.comparison;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Objects;

/**
 * What to do with a tuned model, in one sentence.
 *
 * @param decision ship, or why not; {@link Decision#SHIP} only where harm is ruled out, too
 * @param arm the arm that is to answer as things stand: the tuned one where it ships, else one that needs no training
 * @param itemsNeeded about how many more items are needed to decide; 0 where the items suffice
 * @param guardItemsNeeded about how many more items of a guard set are needed to know whether general ability was
 *     harmed; 0 where that is known or does not matter
 * @param sentence the reason in plain words, with the numbers behind it; it begins with the arm to take, if any
 */
public record Verdict(Decision decision, String arm, int itemsNeeded, int guardItemsNeeded, String sentence) {
    /** The ends of an evaluation. */
    public enum Decision {
        /** Better than chance explains, also than prompts, and no loss of general ability beyond the accepted one. */
        SHIP,
        /** An arm without training does as well or better. */
        PROMPT_INSTEAD,
        /** Worse, not better by anything worth having, or at the cost of something else. */
        DO_NOT_SHIP,
        /** Better on the task; whether it harms general ability was not asked, or these guard items cannot tell. */
        HARM_NOT_KNOWN,
        /** These items cannot tell. */
        NEED_MORE_ITEMS;

        /** {@code ship}, {@code prompt_instead}, {@code do_not_ship}, ...: the name in lower case, as in JSON. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The key in words, such as {@code Do not ship}. */
        public String words() {
            return name().charAt(0) + key().substring(1).replace('_', ' ');
        }
    }

    /** Refuses null. */
    public Verdict {
        Objects.requireNonNull(decision, "decision");
        Objects.requireNonNull(arm, "arm");
        Objects.requireNonNull(sentence, "sentence");
    }

    /** Whether the tuned model is to be shipped: it is better, and harm is ruled out. */
    public boolean ships() {
        return decision == Decision.SHIP;
    }

    /** {@code {"decision", "arm", "items_needed", "guard_items_needed", "sentence"}}. */
    public ObjectNode toJson() {
        return new ObjectMapper().createObjectNode().put("decision", decision.key()).put("arm", arm)
                .put("items_needed", itemsNeeded).put("guard_items_needed", guardItemsNeeded)
                .put("sentence", sentence);
    }

    /** {@code ship: Take tuned: 81 % of answers hold the expected fact against 5 %, ...}. */
    @Override
    public String toString() {
        return decision.key().replace('_', ' ') + ": " + sentence;
    }
}
