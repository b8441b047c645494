package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
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

    private static ToolCall call(String name, String arguments) {
        return ToolCall.of(Map.of("name", name, "arguments", arguments));
    }

    private static String body(ToolForm form, String name, String arguments) {
        String whole = form.write(List.of(call(name, arguments)));
        return whole.substring(form.begin().length(), whole.length() - form.end().length());
    }

    @ParameterizedTest
    @MethodSource("forms")
    void aForcedCallIsOneOfTheToolsInTheFormOfTheModel(ToolForm form) {
        TextConstraint constraint = TextConstraints.call(form, TOOLS, false);
        for (String right : List.of(body(form, "trains", "{\"seats\": 2}"), body(form, "weather", "{\"unit\": \"c\"}"),
                body(form, "weather", "{}"), body(form, "ping", "{}"))) {
            assertTrue(constraint.allows(right), right);
        }
        for (String wrong : List.of(body(form, "trains", "{}"), body(form, "weather", "{\"unit\": \"k\"}"),
                body(form, "nobody", "{}"), body(form, "ping", "{\"seats\": 2}"), "Hello")) {
            assertFalse(constraint.allows(wrong), wrong);
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void severalForcedCallsFollowEachOtherAsTheModelWritesThem(ToolForm form) {
        TextConstraint constraint = TextConstraints.call(form, TOOLS, true);
        List<ToolCall> calls = List.of(call("trains", "{\"seats\": 2}"), call("ping", "{}"), call("trains",
                "{\"seats\": 3}"));
        String all = form.write(calls).substring(form.begin().length());
        String one = body(form, "trains", "{\"seats\": 2}");
        for (String right : List.of(all, one, one + form.end())) {
            assertTrue(constraint.allows(right), right);
        }
        assertFalse(TextConstraints.call(form, TOOLS, false).allows(all), all);
        for (String wrong : List.of(all.replace("3", "three"), all + "Bye.", one + form.layout().callClose()
                + form.layout().separator() + "Bye.")) {
            assertFalse(constraint.allows(wrong), wrong);
        }
    }

    private static String trigger(ToolForm form, String text) {
        return form.triggers(TOOLS).stream().filter(text::startsWith).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("forms")
    void aCallThatHasBegunIsForcedToItsEndAndTextIsFree(ToolForm form) {
        TextConstraint constraint = TextConstraints.calls(form, TOOLS, true, "");
        List<ToolCall> calls = List.of(call("trains", "{\"seats\": 2}"), call("weather", "{\"unit\": \"f\"}"));
        String right = form.write(calls);
        for (String text : List.of("Hello <b> [1] {\"a\": 2} functools ```json", right, "I look.\n" + right,
                "<think>" + trigger(form, right) + "</think>" + right, right.substring(0, 1))) {
            assertTrue(constraint.allows(text), text);
        }
        String one = form.write(calls.subList(0, 1));
        assertTrue(form.triggers(TOOLS).size() < TOOLS.size() || one.startsWith(form.triggers(TOOLS).get(0)), one);
        for (String wrong : List.of(one.replace("2", "two"), one.replace("2", "2.5"), trigger(form, one) + "\u0001")) {
            assertFalse(constraint.allows(wrong), wrong);
        }
        assertTrue(TextConstraints.calls(form, TOOLS, true, "<think>\n").allows(trigger(form, one) + "..."),
                "a thought that the prompt opened");
    }

    @ParameterizedTest
    @MethodSource("forms")
    void whereOneCallIsWantedTheAnswerEndsWithIt(ToolForm form) {
        TextConstraint constraint = TextConstraints.calls(form, TOOLS, false, "");
        ToolCall call = call("trains", "{\"seats\": 2}");
        assertTrue(constraint.allows("Well. " + form.write(List.of(call))));
        assertFalse(constraint.allows(form.write(List.of(call, call))));
    }

    /** What has been found for a constraint is kept under its description. */
    @Test
    void constraintsOfOtherSchemasAreToldApart() {
        ToolForm form = ToolForm.named("hermes");
        List<Tool> other = Tool.of(List.of(Map.of("name", "trains"), Map.of("name", "weather"),
                Map.of("name", "ping")));
        assertEquals(7, Stream.of(TextConstraints.call(form, TOOLS, false), TextConstraints.call(form, other, false),
                TextConstraints.call(form, TOOLS, true),
                TextConstraints.calls(form, TOOLS, true, ""), TextConstraints.calls(form, other, true, ""),
                TextConstraints.calls(form, TOOLS, false, ""), TextConstraints.calls(form, TOOLS, true, "<think>"))
                .map(TextConstraint::description).distinct().count());
    }
}
