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
     * A call of one of some tools, between {@link ToolForm#begin} and {@link ToolForm#end}, with arguments as the
     * tool's schema has them.
     *
     * @throws ConfigurationException as {@link #jsonSchema}
     */
    @Internal(shared = true)
    public static TextConstraint call(ToolForm form, List<Tool> tools) {
        return new LazyAutomaton("a call in the form '" + form + "' of one of " + tools,
                Rule.choice(tools.stream().map(tool -> call(form, tool, "", "", "")).toList()));
    }

    /** A call with what surrounds it, of which the beginning has been written already. */
    private static Rule call(ToolForm form, Tool tool, String open, String written, String close) {
        ToolForm.Shape shape = form.shape(tool.name());
        // A function whose parameters are left out has none, as OpenAI has it.
        JsonSchema schema = new JsonSchema(tool.parameters().isEmpty() ? JSON.createObjectNode()
                .put("type", "object").put("additionalProperties", false) : tool.parameters());
        return Rule.sequence(Rule.text((open + shape.open()).substring(written.length())),
                shape.members().map(schema::members).orElseGet(schema::rule), Rule.text(shape.close() + close));
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
        ToolForm.Layout layout = form.layout();
        Map<String, TextConstraint> calls = new LinkedHashMap<>();
        for (String trigger : form.triggers(tools)) {
            Rule first = Rule.choice(tools.stream().filter(tool -> (form.begin() + form.shape(tool.name()).open())
                    .startsWith(trigger)).map(tool -> call(form, tool, form.begin(), trigger, layout.callClose()))
                    .toList());
            Rule others = Rule.sequence(Rule.text(layout.separator()), Rule.choice(tools.stream().map(
                    tool -> call(form, tool, layout.callOpen(), "", layout.callClose())).toList()));
            calls.put(trigger, new LazyAutomaton("calls of " + tools, Rule.sequence(first, new Rule.Repetition(others,
                    0, several && !layout.open().isEmpty() ? -1 : 0, "calls"), Rule.text(layout.close()))));
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
