package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of tools in answers of the server, forced and not. */
class ToolUseTest {
    private static ToolUse use(String form, boolean forced, boolean parallel) {
        ObjectNode tool = Json.object().put("type", "function");
        tool.putObject("function").put("name", "ping");
        return new ToolUse(List.of(tool), List.of("ping"), Optional.of(ToolForm.named(form)), forced, parallel, forced,
                "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hermes", "mistral-args", "qwen-xml", "lfm2", "gemma4", "glm"})
    void aForcedCallFollowsTheFormAndIsRead(String form) {
        ToolUse use = use(form, true, true);
        ToolForm.Shape shape = ToolForm.named(form).shape("ping");
        String text = shape.open() + (shape.members().isPresent() ? "" : "{}") + shape.close();
        TextConstraint constraint = ToolFields.constraint(use, Optional.empty(), "response_format",
                new Constraints()).orElseThrow();
        assertTrue(constraint.allows(text), text);
        assertEquals("[ping()]", use.parsed(text).calls().toString());
        assertEquals(ToolForm.named(form).begin(), use.begin());
        ToolCall ping = ToolCall.of(Map.of("name", "ping", "arguments", "{}"));
        String both = ToolForm.named(form).write(List.of(ping, ping)).substring(use.begin().length());
        assertTrue(constraint.allows(both), both);
        assertEquals("[ping(), ping()]", use.parsed(both).calls().toString());
        assertEquals("", use.parsed(both).content());
        String cut = text.substring(0, 3);
        assertEquals(cut, use.parsed(cut).content(), "what the limit of tokens cut is text");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"'tool_choice': 'required' | true",
        "'tool_choice': 'required', 'parallel_tool_calls': false | false",
        "'tool_choice': {'type': 'function', 'function': {'name': 'ping'}} | false"})
    void oneCallIsForcedOfAFunctionThatIsNamed(String choice, boolean several) throws IOException {
        ToolChoice read = ToolChoice.read(new RequestFields((ObjectNode) new ObjectMapper().readTree(("{" + choice
                + "}").replace('\'', '"'))), List.of("ping"), ToolChoice.Form.NESTED);
        assertTrue(read.forced());
        assertEquals(several, read.parallel());
    }

    @Test
    void whereSeveralCallsAreNotWantedTheFirstCounts() {
        String call = "<tool_call>{\"name\": \"ping\", \"arguments\": {}}</tool_call>";
        assertEquals(2, use("hermes", false, true).parsed(call + call).calls().size());
        assertEquals(1, use("hermes", false, false).parsed(call + call).calls().size());
    }

    @Test
    void aCallOfAnotherToolStaysTextAndIsListed() {
        ParsedAnswer parsed = use("hermes", false, true)
                .parsed("<think>Hm</think><tool_call>{\"name\": \"pong\", \"arguments\": {}}</tool_call>");
        assertEquals("Hm", parsed.reasoning());
        assertTrue(parsed.content().contains("pong") && parsed.calls().isEmpty(), parsed::toString);
        assertEquals("no tool is named 'pong'; there are [ping]", parsed.wrong().get(0).reason());
    }
}
