package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.Place;
import java.util.List;
import java.util.Objects;

/**
 * What became of a handbook: each of its sentences is the answer of a row, or one of those that have no question.
 *
 * @param rows those with a question of their own, those that a rule or a model asked for, and those to fill in
 * @param unasked the sentences, and rows of tables, that got no question
 * @param statements how many sentences and rows of tables there are
 */
@Internal(shared = true)
public record PassageRows(List<ChatExample> rows, List<Unasked> unasked, int statements) {
    /** Copies the lists. */
    public PassageRows {
        rows = List.copyOf(rows);
        unasked = List.copyOf(unasked);
    }

    /**
     * A sentence that got no question.
     *
     * @param origin where its passage begins
     * @param place the page or the sheet; empty where there are none
     * @param heading the heading above it
     * @param sentence the sentence
     * @param reason why there is none
     * @param toFillIn whether there is a row for people to fill in; else it tells nothing that can be asked for
     */
    public record Unasked(Origin origin, String place, String heading, String sentence, String reason,
            boolean toFillIn) {
        /** Refuses null. */
        public Unasked {
            Objects.requireNonNull(origin, "origin");
            Objects.requireNonNull(place, "place");
            Objects.requireNonNull(heading, "heading");
            Objects.requireNonNull(sentence, "sentence");
            Objects.requireNonNull(reason, "reason");
        }

        static Unasked of(ChatExample row, String sentence, String reason, boolean toFillIn) {
            return new Unasked(row.origin(), Place.of(row.extra()).orElse(""),
                    row.extra().get("heading") instanceof String title ? title : "", sentence, reason, toFillIn);
        }
    }
}
