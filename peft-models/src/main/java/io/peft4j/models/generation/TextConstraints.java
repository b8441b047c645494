package io.peft4j.models.generation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolForm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an answer may be. An answer that ends on its own is always a valid text; one that reaches the limit of new
 * tokens ({@code StopReason.LENGTH}) may be the beginning of one: {@code Completion.followsConstraint} tells.
 *
 * <pre>{@code
 * GenerationOptions options = GenerationOptions.defaults().withConstraint(TextConstraints.regex("[0-9]+ days"));
 * }</pre>
 */
public final class TextConstraints {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TextConstraints() {
    }

    /**
     * Texts that a regular expression matches as a whole: characters and classes ({@code [a-z]}, {@code [^"]},
     * {@code \d}, {@code \w}, {@code \s}, {@code .}), groups, {@code |}, {@code *}, {@code +}, {@code ?}, and
     * <code>{n,m}</code>. Assertions and references back are refused, since no automaton can follow them.
     *
     * @throws ConfigurationException when it is no regular expression, uses what is refused, or is too complex
     */
    public static TextConstraint regex(String expression) {
        return new LazyAutomaton("the regular expression " + expression, RegexParser.parse(expression));
    }

    /**
     * One of some texts.
     *
     * @throws ConfigurationException when there is none
     */
    public static TextConstraint choice(List<String> texts) {
        return new LazyAutomaton("the choice of " + texts, Rule.choice(texts.stream().map(Rule::text).toList()));
    }

    /**
     * JSON that a JSON schema allows. Properties come in the order in which the schema names them; others are written
     * only where {@code additionalProperties} is a schema. Values without a schema are nested up to
     * {@value JsonSchema#FREE_DEPTH} levels. Between elements is one space at most.
     *
     * @throws ConfigurationException when the text is not a schema, or has a keyword that cannot be followed: it is
     *     named, never ignored
     */
    public static TextConstraint jsonSchema(String schema) {
        JsonNode tree;
        try {
            tree = JSON.readTree(schema);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("the JSON schema is not JSON: " + e.getOriginalMessage(), e);
        }
        return new LazyAutomaton("the JSON schema " + tree, new JsonSchema(tree).rule());
    }

    /**
     * A call of one of some tools behind {@link ToolForm#begin}, with arguments as the tool's schema has them.
     *
     * @param several whether others may follow; the last of these ends with {@link ToolForm#end}, a single call need
     *     not
     * @throws ConfigurationException as {@link #jsonSchema}
     */
    @Internal(shared = true)
    public static TextConstraint call(ToolForm form, List<Tool> tools, boolean several) {
        return new LazyAutomaton((several ? "calls" : "a call") + " in the form '" + form + "' of " + tools,
                Rule.sequence(calls(form, tools, "", ""), new Rule.Repetition(behind(form, tools, several), 0,
                        several ? 1 : 0, "calls")));
    }

    /** A call of one of some tools. */
    private static Rule calls(ToolForm form, List<Tool> tools, String open, String written) {
        return Rule.choice(tools.stream().map(tool -> call(form, tool, open, written)).toList());
    }

    /** What follows the first call: its end, others if there may be any, and the end of all. */
    private static Rule behind(ToolForm form, List<Tool> tools, boolean several) {
        ToolForm.Layout layout = form.layout();
        return Rule.sequence(Rule.text(layout.callClose()), new Rule.Repetition(Rule.sequence(
                Rule.text(layout.separator()), calls(form, tools, layout.callOpen(), ""),
                Rule.text(layout.callClose())), 0, several ? -1 : 0, "calls"), Rule.text(layout.close()));
    }

    /** A call behind what precedes it, of which the beginning has been written already. */
    private static Rule call(ToolForm form, Tool tool, String open, String written) {
        ToolForm.Shape shape = form.shape(tool.name());
        // A function whose parameters are left out has none, as OpenAI has it.
        JsonSchema schema = new JsonSchema(tool.parameters().isEmpty() ? JSON.createObjectNode()
                .put("type", "object").put("additionalProperties", false) : tool.parameters());
        return Rule.sequence(Rule.text((open + shape.open()).substring(written.length())),
                shape.members().map(schema::members).orElseGet(schema::rule), Rule.text(shape.close()));
    }

    /**
     * Any answer whose calls are right: behind each of {@link ToolForm#triggers} comes the rest of a call of one of the
     * tools, with arguments as its schema has them. Thoughts may hold anything.
     *
     * @param several whether there may be more than one call; otherwise the answer ends with the first
     * @param prompt what precedes the answer: it may open a thought
     * @throws ConfigurationException as {@link #jsonSchema}
     */
    @Internal(shared = true)
    public static TextConstraint calls(ToolForm form, List<Tool> tools, boolean several, String prompt) {
        Map<String, TextConstraint> calls = new LinkedHashMap<>();
        for (String trigger : form.triggers(tools)) {
            List<Tool> begun = tools.stream().filter(tool -> (form.begin() + form.shape(tool.name()).open())
                    .startsWith(trigger)).toList();
            calls.put(trigger, new LazyAutomaton("calls of " + tools, Rule.sequence(calls(form, begun, form.begin(),
                    trigger), behind(form, tools, several && !form.layout().open().isEmpty()))));
        }
        Optional<String> thought = AnswerReader.openedThought(prompt);
        return new CallConstraint("any text" + thought.map(mark -> " behind " + mark).orElse("") + " with "
                + (several ? "calls" : "a call") + " in the form '" + form + "' of " + tools, calls,
                AnswerReader.thoughts(), thought, several);
    }

    /** Any JSON object, nested up to {@value JsonSchema#FREE_DEPTH} levels. */
    public static TextConstraint json() {
        return jsonSchema("{\"type\":\"object\"}");
    }
}
