package io.peft4j.data;

import io.peft4j.core.error.DataException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.data.example.ChatExample;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Tools and calls that make no difference to the text are not learned, and an answer that is a call is empty then. */
final class ShownTools {
    private ShownTools() {
    }

    /**
     * Refuses an example whose tools or calls a template leaves out.
     *
     * @param model whose template it is
     * @throws DataException with the forms that a template can be given
     */
    static void require(ChatExample example, ChatTemplate template, String model) {
        List<ChatMessage> messages = example.messages();
        List<Map<String, Object>> tools = example.tools();
        if (tools.isEmpty() && messages.stream().noneMatch(ChatMessage::hasToolCalls)) {
            return;
        }
        List<ChatMessage> uncalled = messages.stream().map(ShownTools::withoutCalls).toList();
        if (!tools.isEmpty() && isSame(template, uncalled, tools, uncalled, List.of())
                || !uncalled.equals(messages) && isSame(template, messages, tools, uncalled, tools)) {
            throw ChatEncoder.fail(example, "has tools or calls of them, which the chat template of " + model
                    + " does not show, so they would not be learned; take a model whose template does, such as "
                    + "Qwen/Qwen3-0.6B, give the template a form of tool calls, one of " + ToolForm.all()
                    + ", or remove them from the rows");
        }
    }

    private static ChatMessage withoutCalls(ChatMessage message) {
        Map<String, Object> others = new HashMap<>(message.extra());
        others.keySet().removeIf(key -> message.hasToolCalls() && List.of("content", "tool_calls").contains(key));
        return new ChatMessage(message.role(), message.content(), others);
    }

    /** Whether two conversations are one text; of what the template rejects, whether it knows no calls. */
    private static boolean isSame(ChatTemplate template, List<ChatMessage> messages, List<Map<String, Object>> tools,
            List<ChatMessage> others, List<Map<String, Object>> otherTools) {
        try {
            return template.render(messages, false, tools, Map.of())
                    .equals(template.render(others, false, otherTools, Map.of()));
        } catch (PeftException e) {
            return ToolForm.of(template).isEmpty();
        }
    }
}
