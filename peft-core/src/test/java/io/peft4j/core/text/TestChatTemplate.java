package io.peft4j.core.text;

import java.util.List;
import java.util.Map;

/** A chat template for tests, written in Java. */
public final class TestChatTemplate implements ChatTemplate {
    /** What a template does. */
    @FunctionalInterface
    public interface Renderer {
        /** As {@link ChatTemplate#render(List, boolean, List, Map)}. */
        String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools);
    }

    private final Renderer renderer;

    private TestChatTemplate(Renderer renderer) {
        this.renderer = renderer;
    }

    /** A template that does what the renderer does. */
    public static ChatTemplate of(Renderer renderer) {
        return new TestChatTemplate(renderer);
    }

    /** ChatML: {@code <|im_start|>role\ncontent<|im_end|>\n}, preceded by a turn that lists the tools, if any. */
    public static ChatTemplate chatMl() {
        return of((messages, addGenerationPrompt, tools) -> {
            StringBuilder text = new StringBuilder();
            if (!tools.isEmpty()) {
                text.append("<|im_start|>system\ntools: ").append(tools).append("<|im_end|>\n");
            }
            for (ChatMessage message : messages) {
                text.append("<|im_start|>").append(message.role()).append('\n').append(message.content())
                        .append("<|im_end|>\n");
            }
            return text.append(addGenerationPrompt ? "<|im_start|>assistant\n" : "").toString();
        });
    }

    @Override
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools,
            Map<String, Object> variables) {
        return renderer.render(messages, addGenerationPrompt, tools);
    }

    @Override
    public String source() {
        return "written in Java";
    }
}
