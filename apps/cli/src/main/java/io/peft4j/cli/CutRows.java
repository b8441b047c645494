package io.peft4j.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Tells of rows of which a model reads the beginning only. */
final class CutRows {
    private static final int SHOWN = 10;

    private CutRows() {
    }

    /**
     * Says nothing where there are none.
     *
     * @param numbers the rows that are cut, from 1
     * @param all how many rows there are
     * @param limit the most tokens of a row that the model reads
     */
    static void tell(Console console, List<Integer> numbers, int all, int limit) {
        if (!numbers.isEmpty()) {
            console.say("Cut at %d tokens, the most that the model reads: %d of %d rows (%s%s)", limit, numbers.size(),
                    all, numbers.stream().limit(SHOWN).map(number -> "row " + number)
                            .collect(Collectors.joining(", ")),
                    numbers.size() > SHOWN ? ", ..." : "");
        }
    }
}
