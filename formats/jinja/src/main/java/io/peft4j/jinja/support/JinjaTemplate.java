package io.peft4j.jinja.support;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A template in the part of Jinja that Hugging Face's chat templates use, with the settings of transformers.
 *
 * <p>Instances are immutable; many threads may render with one. What they do not
 * use, such as {@code extends} or {@code groupby}, is refused by name.
 */
public final class JinjaTemplate {
    private static final int SHOWN_CHARACTERS = 120;

    private final String source;
    private final JinjaLimits limits;
    private final Clock clock;
    private final List<Statement> statements;

    private JinjaTemplate(String source, JinjaLimits limits, Clock clock, List<Statement> statements) {
        this.source = source;
        this.limits = limits;
        this.clock = clock;
        this.statements = statements;
    }

    /**
     * Parses a template. It renders within {@link JinjaLimits#DEFAULT} and by the system's clock.
     *
     * @param source the text of the template
     * @return the template, ready to render
     * @throws JinjaException if the text is not a valid template
     */
    public static JinjaTemplate parse(String source) {
        Objects.requireNonNull(source, "source");
        try {
            return new JinjaTemplate(source, JinjaLimits.DEFAULT, Clock.systemDefaultZone(),
                    StatementParser.parse(source));
        } catch (SyntaxError e) {
            throw failure(source, e.line(), e.getMessage());
        } catch (StackOverflowError e) {
            throw failure(source, 0, "it is nested too deeply for this thread's stack");
        }
    }

    /**
     * The same template with other limits.
     *
     * @param newLimits what one rendering may use
     * @return a template that shares the parsed text
     */
    public JinjaTemplate withLimits(JinjaLimits newLimits) {
        return new JinjaTemplate(source, newLimits, clock, statements);
    }

    /**
     * The same template with another clock for {@code strftime_now}, so that a rendering can be repeated.
     *
     * @param newClock what tells the date and time
     * @return a template that shares the parsed text
     */
    public JinjaTemplate withClock(Clock newClock) {
        return new JinjaTemplate(source, limits, newClock, statements);
    }

    /**
     * The text of the template.
     *
     * @return the text, as it was parsed
     */
    public String source() {
        return source;
    }

    /**
     * Renders the template. Text among the variables is data: whatever it holds, it is never executed.
     *
     * @param variables what the template sees, by name: null (None), strings, booleans, numbers, and lists and maps of
     *     these
     * @return the rendered text
     * @throws JinjaException if the template fails or refuses its input, if it uses more than its limits allow, or if a
     *     variable is of another type
     */
    public String render(Map<String, ?> variables) {
        Runtime runtime = new Runtime(new Budget(limits), clock);
        try {
            variables.forEach((name, value) -> runtime.scope().set(name, Types.fromJava(value)));
            runtime.run(statements);
            return runtime.out().toString();
        } catch (TemplateError e) {
            throw failure(source, runtime.line(), e.getMessage());
        } catch (StackOverflowError e) {
            throw failure(source, runtime.line(), "it is nested too deeply for this thread's stack");
        }
    }

    private static JinjaException failure(String source, int line, String message) {
        List<String> lines = source.lines().toList();
        String place = line > 0 ? ", line " + line : "";
        String text = line > 0 && line <= lines.size() ? lines.get(line - 1).strip() : "";
        String shown = text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "..." : text;
        return new JinjaException(line, "template" + place + ": " + message
                + (shown.isEmpty() ? "" : " (in: " + shown + ")"));
    }

    @Override
    public String toString() {
        return "JinjaTemplate[" + source.length() + " characters]";
    }

    /**
     * What one rendering may use before it ends in a {@link JinjaException}. A template comes with a checkpoint and
     * is not trusted.
     *
     * @param maxSteps evaluated nodes, handled list elements and, at 64 to a step, handled characters
     * @param maxOutput characters of the output and of any single string
     * @param maxDepth nested expressions, blocks and macro calls together
     */
    public record JinjaLimits(long maxSteps, int maxOutput, int maxDepth) {
        /**
         * 5 million steps, 32 million characters, depth 400: far more than any conversation that fits a model needs.
         */
        public static final JinjaLimits DEFAULT = new JinjaLimits(5_000_000, 32_000_000, 400);

        /**
         * Checks the limits.
         *
         * @throws IllegalArgumentException if one of them is not positive
         */
        public JinjaLimits {
            if (maxSteps < 1 || maxOutput < 1 || maxDepth < 1) {
                throw new IllegalArgumentException("template limits must be positive, but are " + maxSteps + " steps, "
                        + maxOutput + " characters and depth " + maxDepth);
            }
        }
    }
}
