package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls of tools in the text of answers, whole and in pieces. */
class ToolTextTest {
    private static final List<String> TOOLS = List.of("weather", "time");

    /** The content that is sent while the text comes one character at a time, and what comes in the end. */
    private static ToolForm.Parsed inPieces(ToolForm form, String text) {
        ToolText pieces = new ToolText(Optional.of(form), TOOLS);
        StringBuilder content = new StringBuilder();
        text.chars().forEach(c -> content.append(pieces.accept(String.valueOf((char) c))));
        ToolForm.Parsed end = pieces.finish();
        return new ToolForm.Parsed(content + end.content(), end.calls());
    }

    private static String arguments(ToolForm.Parsed parsed, int call) {
        return parsed.calls().get(call).json("id").path("function").path("arguments").asText();
    }

    @Test
    void hermesMarksItsCalls() {
        String text = "Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Graz\"}}\n"
                + "</tool_call>\n<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>";
        ToolForm.Parsed whole = ToolForm.HERMES.parse(text, TOOLS);
        assertEquals("Let me see.", whole.content());
        assertEquals(List.of("weather", "time"), whole.calls().stream().map(ToolForm.Call::name).toList());
        assertEquals("{\"city\":\"Graz\"}", arguments(whole, 0));
        ToolForm.Parsed pieces = inPieces(ToolForm.HERMES, text);
        assertEquals("Let me see.\n", pieces.content());
        assertEquals(whole.calls(), pieces.calls());
    }

    @Test
    void aLastMarkMayBeMissing() {
        String text = "<tool_call>{\"name\": \"time\", \"arguments\": {}}";
        assertEquals(1, ToolForm.HERMES.parse(text, TOOLS).calls().size());
        assertEquals(1, inPieces(ToolForm.HERMES, text).calls().size());
    }

    @Test
    void llamaAnswersWithTheCallAlone() {
        String text = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Graz\"}}";
        ToolForm.Parsed whole = ToolForm.LLAMA.parse(text, TOOLS);
        assertEquals("", whole.content());
        assertEquals("{\"city\":\"Graz\"}", arguments(whole, 0));
        assertEquals(whole, inPieces(ToolForm.LLAMA, text));
    }

    @Test
    void mistralAnswersWithAListOfCalls() {
        String text = "[{\"name\": \"time\", \"arguments\": {}}, {\"name\": \"weather\", \"arguments\": {\"a\": 1}}]";
        assertEquals(2, ToolForm.MISTRAL.parse(text, TOOLS).calls().size());
        assertEquals(2, inPieces(ToolForm.MISTRAL, text).calls().size());
    }

    @ParameterizedTest
    @EnumSource
    void whatIsNoCallStaysText(ToolForm form) {
        for (String text : List.of("", "At 5 < 6 it rains.", "<tool_cal", "<tool_call>{\"name\": \"weather\"}",
                "{\"name\": \"nobody\", \"parameters\": {}}", "[1, 2]", "{\"name\": \"weather\", \"parameters\": 1}",
                "<tool_call>{broken</tool_call>")) {
            assertEquals(new ToolForm.Parsed(text, List.of()), form.parse(text, TOOLS), text);
            assertEquals(new ToolForm.Parsed(text, List.of()), inPieces(form, text), text);
        }
    }
}
