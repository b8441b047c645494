package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.data.example.Origin;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What can be wrong with answers that are compared or judged. */
@Internal(shared = true)
public enum AnswerFault {
    /** Both answers are the same tokens, so there is nothing to prefer; left out. */
    EQUAL("have the same tokens for both answers and are left out", true),
    /** An answer says nothing; left out. */
    EMPTY("have an empty answer and are left out", true),
    /** The prompt alone reaches the limit, so nothing of an answer is left; left out. */
    CUT_AWAY("have a prompt that reaches the limit of %d tokens, with no room for an answer, and are left out", true),
    /** Prompt and answer are so long that they are not even encoded; left out. */
    FAR_TOO_LONG("are far longer than the limit of %d tokens and are left out", true),
    /** An answer was cut at the limit. */
    CUT("have an answer that was cut at the limit of %d tokens", false);

    private static final int LISTED = 10;

    private final String words;
    private final boolean leftOut;

    AnswerFault(String words, boolean leftOut) {
        this.words = words;
        this.leftOut = leftOut;
    }

    /** Where each fault was found. */
    public static final class Log {
        private final Map<AnswerFault, List<String>> places = new EnumMap<>(AnswerFault.class);

        /** Takes a fault of an example, which is counted from 0. */
        public void add(AnswerFault fault, int number, Origin origin) {
            places.computeIfAbsent(fault, key -> new ArrayList<>()).add("row " + (number + 1)
                    + (origin.equals(Origin.PROGRAM) ? "" : " (" + origin + ")"));
        }

        /** How many examples are not trained on. */
        public int leftOut() {
            return places.entrySet().stream().filter(entry -> entry.getKey().leftOut)
                    .mapToInt(entry -> entry.getValue().size()).sum();
        }

        /**
         * A line for each kind of fault: how many examples have it, and which.
         *
         * @param kind what the examples are for: training or validation
         * @param examples how many there were
         * @param limit the limit of tokens
         */
        public List<String> lines(String kind, int examples, int limit) {
            return places.entrySet().stream().map(entry -> entry.getValue().size() + " of " + examples + " " + kind
                    + " examples " + String.format(entry.getKey().words, limit) + ": "
                    + entry.getValue().stream().limit(LISTED).collect(Collectors.joining("; "))
                    + (entry.getValue().size() > LISTED ? " and others" : "")).toList();
        }
    }
}
