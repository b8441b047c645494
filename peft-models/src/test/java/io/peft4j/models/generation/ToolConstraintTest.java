package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ToolConstraintTest {
    private static final List<Tool> TOOLS = Tool.of(List.of(Map.of("name", "trains", "parameters", Map.of("type",
            "object", "properties", Map.of("seats", Map.of("type", "integer")), "required", List.of("seats"))),
            Map.of("name", "weather", "parameters", Map.of("type", "object", "properties",
                    Map.of("unit", Map.of("type", "string", "enum", List.of("c", "f"))))),
            Map.of("name", "ping")));

    static Stream<ToolForm> forms() {
        return ToolForm.all().stream();
    }

    private static String body(ToolForm form, String name, String arguments) {
        try {
            String whole = form.write(List.of(ToolCall.of(Map.of("name", name, "arguments",
                    new ObjectMapper().readValue(arguments, Map.class)))));
            return whole.substring(form.begin().length(), whole.length() - form.end().length());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void aForcedCallIsOneOfTheToolsInTheFormOfTheModel(ToolForm form) {
        TextConstraint constraint = TextConstraints.call(form, TOOLS);
        for (String right : List.of(body(form, "trains", "{\"seats\": 2}"), body(form, "weather", "{\"unit\": \"c\"}"),
                body(form, "weather", "{}"), body(form, "ping", "{}"))) {
            assertTrue(constraint.allows(right), right);
        }
        for (String wrong : List.of(body(form, "trains", "{}"), body(form, "weather", "{\"unit\": \"k\"}"),
                body(form, "nobody", "{}"), body(form, "ping", "{\"seats\": 2}"), "Hello")) {
            assertFalse(constraint.allows(wrong), wrong);
        }
    }
}
