package io.peft4j.core.tool;

import java.util.List;

/**
 * An answer, taken apart.
 *
 * @param content what is neither thought nor call; calls that are none of those offered are part of it as they stand
 * @param reasoning what the model thought; empty where it did not
 * @param calls the calls
 * @param wrong calls that could not be read, that name no tool, or whose arguments are not the tool's
 */
public record ParsedAnswer(String content, String reasoning, List<ToolCall> calls, List<Wrong> wrong) {
    /**
     * What was meant as a call and is none.
     *
     * @param text as the model wrote it; it is part of the content, too
     * @param reason what is wrong
     */
    public record Wrong(String text, String reason) {
    }

    /** Copies the lists. */
    public ParsedAnswer {
        calls = List.copyOf(calls);
        wrong = List.copyOf(wrong);
    }
}
