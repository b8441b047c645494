package io.peft4j.models.tokenizer;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.jinja.support.JinjaException;
import io.peft4j.jinja.support.JinjaTemplate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A chat template in Jinja, as Hugging Face checkpoints carry it, rendered as transformers' {@code apply_chat_template}
 * does it (version 5): message fields that are null are left out, {@code reasoning_content} is filled from
 * {@code thinking} or {@code reasoning}, and {@code tools} and {@code documents} are None where there are none.
 *
 * <p>Instances are immutable; many threads may render with one.
 */
public final class JinjaChatTemplate implements ChatTemplate {
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

    private final JinjaTemplate template;
    private final Map<String, Object> variables;

    private JinjaChatTemplate(JinjaTemplate template, Map<String, ?> variables) {
        this.template = template;
        this.variables = new LinkedHashMap<>(variables);
    }

    /**
     * Parses a template.
     *
     * @param source the text of the template
     * @param variables what the template may use beside the conversation, above all the special tokens by their names
     *     ({@code bos_token}, {@code eos_token}, ...)
     * @return the template, ready to render
     * @throws ChatTemplateException if the text is not a valid template
     */
    public static JinjaChatTemplate of(String source, Map<String, ?> variables) {
        try {
            return new JinjaChatTemplate(JinjaTemplate.parse(source), variables);
        } catch (JinjaException e) {
            throw new ChatTemplateException(e, e.line());
        }
    }

    /**
     * Parses a template that uses no special tokens.
     *
     * @param source the text of the template
     * @return the template, ready to render
     * @throws ChatTemplateException if the text is not a valid template
     */
    public static JinjaChatTemplate of(String source) {
        return of(source, Map.of());
    }

    @Override
    public String source() {
        return template.source();
    }

    @Override
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools,
            Map<String, Object> moreVariables) {
        Map<String, Object> context = new LinkedHashMap<>(variables);
        context.put("documents", null);
        context.put("tools", null);
        context.putAll(moreVariables);
        context.put("messages", messages.stream().map(JinjaChatTemplate::fields).toList());
        if (!tools.isEmpty()) {
            context.put("tools", tools);
        }
        context.put("add_generation_prompt", addGenerationPrompt);
        try {
            return template.render(context);
        } catch (JinjaException e) {
            throw new ChatTemplateException(e, e.line());
        }
    }

    /** The fields of a message as transformers hands them to a template. */
    private static Map<String, Object> fields(ChatMessage message) {
        Map<String, Object> fields = message.toMap();
        fields.values().removeIf(Objects::isNull);
        for (String name : REASONING) {
            Object reasoning = fields.get(name);
            if (reasoning != null) {
                fields.putIfAbsent("thinking", reasoning);
                fields.put("reasoning_content", reasoning);
                break;
            }
        }
        return fields;
    }

    @Override
    public String toString() {
        return "JinjaChatTemplate[" + source().length() + " characters]";
    }

    /**
     * A chat template cannot be parsed, rejects a conversation (by {@code raise_exception}), fails, or uses more than
     * its limits allow. The message names the line of the template and what was wrong there.
     */
    static final class ChatTemplateException extends PeftException {
        private static final long serialVersionUID = 1L;

        private final int line;

        /** As the template language says it, at a line. */
        public ChatTemplateException(Throwable cause, int line) {
            super("chat " + cause.getMessage(), cause);
            this.line = line;
        }

        /**
         * The line of the template at fault.
         *
         * @return the line, counted from 1; 0 where it is not known
         */
        public int line() {
            return line;
        }
    }
}
