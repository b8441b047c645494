package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which tools an answer must call: the right functions in the right order, with arguments that are equal as JSON, or
 * none.
 *
 * @param tools the definitions that the model is shown, as OpenAI has them
 * @param expected the right calls; empty: the answer must call none
 */
public record ToolCheck(List<Map<String, Object>> tools, @Internal(shared = true) List<ToolCall> expected) {
    private static final ToolForm WRITTEN = ToolForm.named("hermes");

    /** Copies the lists. */
    public ToolCheck {
        tools = List.copyOf(tools);
        expected = List.copyOf(expected);
    }

    /**
     * What an answer of a conversation calls of these tools.
     *
     * @throws IllegalArgumentException when one of its calls is none
     */
    public static ToolCheck of(List<Map<String, Object>> tools, ChatMessage answer) {
        List<ToolCall> expected = new ArrayList<>();
        if (answer.extra().get("tool_calls") instanceof List<?> calls) {
            calls.forEach(each -> expected.add(ToolCall.of(each)));
        } else if (answer.extra().get("function_call") != null) {
            expected.add(ToolCall.of(answer.extra().get("function_call")));
        }
        return new ToolCheck(tools, expected);
    }

    /** Whether a call is right where one is needed. */
    public boolean needsCall() {
        return !expected.isEmpty();
    }

    /** What the first answer to the prompt of a conversation says, or its calls as models write them. */
    public static String answer(ChatExample example) {
        ChatMessage said = example.messages().get(example.prompt().size());
        return said.hasToolCalls() ? WRITTEN.write(of(example.tools(), said).expected) : said.content();
    }

    /** Whether an answer calls something where it must, and nothing where it must not. */
    public boolean callsWhereNeeded(String answer) {
        return ToolForm.calls(answer).isEmpty() != needsCall();
    }

    /** Whether an answer calls the right functions, in their order. */
    public boolean callsRightFunctions(String answer) {
        return ToolForm.calls(answer).stream().map(ToolCall::name).toList()
                .equals(expected.stream().map(ToolCall::name).toList());
    }

    /** Whether an answer makes exactly the expected calls. */
    public boolean accepts(String answer) {
        List<ToolCall> calls = ToolForm.calls(answer);
        boolean same = calls.size() == expected.size();
        for (int i = 0; same && i < calls.size(); i++) {
            same = calls.get(i).sameAs(expected.get(i));
        }
        return same;
    }

    /** The calls of an answer for people: {@code search(city="Oslo")}, or "no call". */
    @Internal(shared = true)
    public static String words(List<ToolCall> calls) {
        return calls.isEmpty() ? "no call" : calls.stream().map(ToolCall::toString).collect(Collectors.joining("; "));
    }
}
