package io.peft4j.models.tokenizer.internal;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.template.internal.JinjaChatTemplate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The chat template of a checkpoint, with the special tokens that it may write. */
final class Templates {
    private Templates() {
    }

    static Optional<ChatTemplate> of(TokenizerFiles files) {
        Map<String, String> variables = new LinkedHashMap<>();
        SpecialTokens.NAMED.forEach(key -> files.specialToken(key).ifPresent(token -> variables.put(key, token)));
        Map<String, String> sources = files.chatTemplates();
        Optional<ChatTemplate> template = template(sources.get(TokenizerFiles.DEFAULT_TEMPLATE), variables);
        Optional<ChatTemplate> withTools = template(sources.get(TokenizerFiles.TOOL_TEMPLATE), variables);
        return template.isPresent() && withTools.isPresent()
                ? Optional.of(new ByTools(template.get(), withTools.get())) : template;
    }

    private static Optional<ChatTemplate> template(String source, Map<String, String> variables) {
        return Optional.ofNullable(source).map(text -> JinjaChatTemplate.of(text, variables));
    }

    /** Two templates, of which one is for conversations that offer tools, as in transformers. */
    private record ByTools(ChatTemplate plain, ChatTemplate withTools) implements ChatTemplate {
        @Override
        public String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools,
                Map<String, Object> variables) {
            return (tools.isEmpty() ? plain : withTools).render(messages, addGenerationPrompt, tools, variables);
        }

        @Override
        public String source() {
            return plain.source();
        }
    }
}
