package io.peft4j.train.objective;

import java.util.Map;
import java.util.Optional;

/**
 * Answers the calls of tools in a model's turns ({@link SampledObjective#withTools}). Used by several threads at a
 * time.
 *
 * <pre>{@code
 * ToolCaller sums = (item, turn) -> turn.startsWith("add ") ? Optional.of(sumOf(turn)) : Optional.empty();
 * }</pre>
 */
@FunctionalInterface
public interface ToolCaller {
    /**
     * What the model reads after its turn, as a message of the role {@code tool}.
     *
     * @param item the row that was asked, with all its keys
     * @param turn the text of the turn
     * @return the answer; empty where the turn calls nothing, and so ends the conversation
     */
    Optional<String> answer(Map<String, Object> item, String turn);
}
