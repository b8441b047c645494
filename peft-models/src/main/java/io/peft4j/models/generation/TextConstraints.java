package io.peft4j.models.generation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolForm;
import java.util.List;

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
        return new LazyAutomaton("a call of one of " + tools.stream().map(Tool::name).toList(), Rule.choice(tools
                .stream()
                .map(tool -> {
                    ToolForm.Shape shape = form.shape(tool.name());
                    // A function whose parameters are left out has none, as OpenAI has it.
                    JsonSchema schema = new JsonSchema(tool.parameters().isEmpty() ? JSON.createObjectNode()
                            .put("type", "object").put("additionalProperties", false) : tool.parameters());
                    return Rule.sequence(Rule.text(shape.open()), shape.members().map(schema::members)
                            .orElseGet(schema::rule), Rule.text(shape.close()));
                }).toList()));
    }

    /** Any JSON object, nested up to {@value JsonSchema#FREE_DEPTH} levels. */
    public static TextConstraint json() {
        return jsonSchema("{\"type\":\"object\"}");
    }
}
