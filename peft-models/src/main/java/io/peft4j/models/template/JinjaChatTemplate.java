package io.peft4j.models.template;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A chat template in Jinja, as Hugging Face checkpoints carry it, rendered as transformers' {@code apply_chat_template}
 * does it (version 5): message fields that are null are left out, {@code reasoning_content} is filled from
 * {@code thinking} or {@code reasoning}, and {@code tools} and {@code documents} are None where there are none.
 *
 * <p>Instances are immutable; many threads may render with one. What is not supported, because chat templates are
 * single files: {@code block}, {@code extends}, {@code include}, {@code import} and {@code autoescape}.
 */
public final class JinjaChatTemplate implements ChatTemplate {
    private static final int SHOWN_CHARACTERS = 120;
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

    private final String source;
    private final Map<String, Object> variables;
    private final TemplateLimits limits;
    private final Clock clock;
    private final List<Statement> statements;

    private JinjaChatTemplate(String source, Map<String, ?> variables, TemplateLimits limits, Clock clock,
            List<Statement> statements) {
        this.source = source;
        this.variables = new LinkedHashMap<>(variables);
        this.limits = limits;
        this.clock = clock;
        this.statements = statements;
    }

    /**
     * Parses a template.
     *
     * @param source the text of the template
     * @param variables what the template may use beside the conversation, above all the special tokens by their names
     *     ({@code bos_token}, {@code eos_token}, ...)
     * @return the template, ready to render
     * @throws ChatTemplateException if the text is no valid template
     */
    public static JinjaChatTemplate of(String source, Map<String, ?> variables) {
        Objects.requireNonNull(source, "source");
        try {
            return new JinjaChatTemplate(source, variables, TemplateLimits.DEFAULT, Clock.systemDefaultZone(),
                    StatementParser.parse(source));
        } catch (SyntaxError e) {
            throw failure(source, e.line(), e.getMessage());
        } catch (StackOverflowError e) {
            throw failure(source, 0, "it nests too deep for the stack of this thread");
        }
    }

    /**
     * Parses a template that uses no special tokens.
     *
     * @param source the text of the template
     * @return the template, ready to render
     * @throws ChatTemplateException if the text is no valid template
     */
    public static JinjaChatTemplate of(String source) {
        return of(source, Map.of());
    }

    /**
     * The same template with other limits.
     *
     * @param newLimits what one rendering may use
     * @return a template that shares the parsed text
     */
    public JinjaChatTemplate withLimits(TemplateLimits newLimits) {
        return new JinjaChatTemplate(source, variables, newLimits, clock, statements);
    }

    /**
     * The same template with another clock for {@code strftime_now}, so that a rendering can be repeated.
     *
     * @param newClock what tells the date and time
     * @return a template that shares the parsed text
     */
    public JinjaChatTemplate withClock(Clock newClock) {
        return new JinjaChatTemplate(source, variables, limits, newClock, statements);
    }

    @Override
    public String source() {
        return source;
    }

    @Override
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools,
            Map<String, Object> moreVariables) {
        Map<String, Object> context = new LinkedHashMap<>(variables);
        context.put("documents", null);
        context.putAll(moreVariables);
        context.put("messages", messages.stream().map(JinjaChatTemplate::fields).toList());
        context.put("tools", tools.isEmpty() ? null : tools);
        context.put("add_generation_prompt", addGenerationPrompt);
        return evaluate(context);
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

    /** Renders with the given variables alone. */
    String evaluate(Map<String, Object> context) {
        Runtime runtime = new Runtime(new Budget(limits), clock);
        try {
            Scope scope = new Scope(Globals.scope());
            context.forEach((name, value) -> scope.set(name, Types.fromJava(value)));
            return new StatementRunner(runtime, scope).render(statements);
        } catch (TemplateError e) {
            throw failure(source, runtime.line(), e.getMessage());
        } catch (StackOverflowError e) {
            throw failure(source, runtime.line(), "it nests too deep for the stack of this thread");
        }
    }

    private static ChatTemplateException failure(String source, int line, String message) {
        List<String> lines = new ArrayList<>(source.lines().toList());
        String place = line > 0 ? ", line " + line : "";
        String text = line > 0 && line <= lines.size() ? lines.get(line - 1).strip() : "";
        String shown = text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "..." : text;
        return new ChatTemplateException(line, "chat template" + place + ": " + message
                + (shown.isEmpty() ? "" : " (in: " + shown + ")"), null);
    }

    @Override
    public String toString() {
        return "JinjaChatTemplate[" + source.length() + " characters]";
    }
}
