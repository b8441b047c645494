package io.peft4j.core.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ToolFormTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<JsonNode> LINES = lines();
    private static final List<Tool> TOOLS = Tool.of(children(LINES.get(0).get("tools")));

    private static List<JsonNode> lines() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                ToolFormTest.class.getResourceAsStream("/tool-answers.jsonl"), StandardCharsets.UTF_8))) {
            List<JsonNode> lines = new ArrayList<>();
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(JSON.readTree(line));
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<JsonNode> children(JsonNode array) {
        List<JsonNode> all = new ArrayList<>();
        array.forEach(all::add);
        return all;
    }

    static Stream<JsonNode> cases() {
        return LINES.stream().skip(1);
    }

    private static ToolForm form(JsonNode row) {
        return ToolForm.named(row.get("form").asText());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aWholeAnswerIsTakenApart(JsonNode row) {
        ParsedAnswer parsed = ToolForm.parse(Optional.of(form(row)), row.get("answer").asText(), TOOLS);
        check(row, parsed);
        assertEquals(row.get("content").asText(), parsed.content());
    }

    private static void check(JsonNode row, ParsedAnswer parsed) {
        assertEquals(row.get("reasoning").asText(), parsed.reasoning());
        List<ToolCall> expected = children(row.get("calls")).stream().map(ToolCall::of).toList();
        assertEquals(expected.size(), parsed.calls().size(), parsed::toString);
        for (int i = 0; i < expected.size(); i++) {
            assertTrue(expected.get(i).sameAs(parsed.calls().get(i)), parsed::toString);
        }
        assertEquals(row.get("wrong").asInt(), parsed.wrong().size(), parsed::toString);
        parsed.wrong().forEach(wrong -> assertTrue(parsed.content().contains(wrong.text()), parsed::toString));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anAnswerReadByCharactersIsTheSameAsAWholeOne(JsonNode row) throws IOException {
        streamed(row, false);
    }

    /** Where a grammar makes sure of them, calls are told while they grow; so only answers without wrong ones. */
    @ParameterizedTest
    @MethodSource("cases")
    void callsToldEarlyAreTheSame(JsonNode row) throws IOException {
        if (row.get("wrong").asInt() == 0 && (row.get("calls").size() > 0 || !row.get("content").asText()
                .startsWith("Hm."))) {
            streamed(row, true);
        }
    }

    private static void streamed(JsonNode row, boolean early) throws IOException {
        String answer = row.get("answer").asText();
        boolean thinking = answer.contains("</think>") && !answer.contains("<think>");
        AnswerReader reader = new AnswerReader(Optional.of(form(row)), TOOLS, thinking ? "<think>" : "", early);
        StringBuilder content = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        List<String> names = new ArrayList<>();
        List<StringBuilder> arguments = new ArrayList<>();
        List<AnswerReader.Piece> pieces = new ArrayList<>();
        answer.chars().forEach(each -> pieces.add(reader.accept(String.valueOf((char) each))));
        pieces.add(reader.finish());
        for (AnswerReader.Piece piece : pieces) {
            content.append(piece.content());
            reasoning.append(piece.reasoning());
            for (AnswerReader.CallPiece call : piece.calls()) {
                call.name().ifPresent(name -> {
                    names.add(name);
                    arguments.add(new StringBuilder());
                });
                arguments.get(call.index()).append(call.arguments());
            }
        }
        check(row, reader.answer());
        assertEquals(reader.answer().content(), content.toString().strip(), "what was told and what is kept");
        assertEquals(row.get("content").asText(), content.toString().strip());
        assertEquals(row.get("reasoning").asText(), reasoning.toString());
        for (int i = 0; i < names.size(); i++) {
            ToolCall told = ToolCall.of(JSON.createObjectNode().put("name", names.get(i))
                    .set("arguments", JSON.readTree(arguments.get(i).toString())));
            assertTrue(told.sameAs(ToolCall.of(row.get("calls").get(i))), told::toString);
        }
        assertEquals(row.get("calls").size(), names.size());
    }

    static Stream<ToolForm> forms() {
        return ToolForm.all().stream();
    }

    @ParameterizedTest
    @MethodSource("forms")
    void whatAFormWritesItReads(ToolForm form) throws IOException {
        List<ToolCall> calls = Stream.of("{'from': 'Ås', 'seats': 2, 'first': false, 'stops': ['a, b', 'c\"d'], "
                + "'meta': {'k': [1.5, null]}}", "{'from': 'B'}").map(
                        text -> ToolCall.of(JSON.createObjectNode()
                                .put("name", "find_trains").set("arguments", new Cursor(text, 0, true).whole())))
                .toList();
        ParsedAnswer parsed = ToolForm.parse(Optional.of(form), "Well.\n" + form.write(calls), TOOLS);
        assertEquals(calls.toString(), parsed.calls().toString(), form::name);
        assertEquals("Well.", parsed.content());
    }

    /** As a grammar forces it: the pieces of a call join to the text that a whole answer has for its arguments. */
    @ParameterizedTest
    @MethodSource("forms")
    void theArgumentsOfACallAreToldPieceByPiece(ToolForm form) throws IOException {
        ToolCall call = ToolCall.of(Map.of("name", "find_trains", "arguments", Map.of("from", "Ås, \"x\" 1", "seats", 2,
                "stops", List.of("a", "b c"))));
        AnswerReader reader = new AnswerReader(Optional.of(form), TOOLS, "", true);
        List<AnswerReader.CallPiece> pieces = new ArrayList<>();
        ("I look.\n" + form.write(List.of(call, call))).chars().forEach(each -> pieces.addAll(
                reader.accept(String.valueOf((char) each)).calls()));
        pieces.addAll(reader.finish().calls());
        assertEquals(2, reader.answer().calls().size());
        for (int i = 0; i < 2; i++) {
            int index = i;
            List<AnswerReader.CallPiece> own = pieces.stream().filter(piece -> piece.index() == index).toList();
            assertEquals(List.of("find_trains"), own.stream().flatMap(piece -> piece.name().stream()).toList());
            assertEquals(reader.answer().calls().get(i).arguments().toString(), own.stream()
                    .map(AnswerReader.CallPiece::arguments).collect(Collectors.joining()));
            assertTrue(i > 0 || own.size() > 3, own::toString);
            assertTrue(own.stream().allMatch(piece -> piece.name().isPresent() || !piece.arguments().isEmpty()));
        }
    }

    @Test
    void withoutListedToolsAnyMayBeCalled() {
        ParsedAnswer parsed = ToolForm.parse(Optional.of(ToolForm.named("hermes")),
                "<tool_call>{\"name\": \"other\", \"arguments\": {}}</tool_call>", List.of());
        assertEquals("[other()]", parsed.calls().toString());
    }

    @Test
    void withoutAFormThoughtsAreToldApart() {
        ParsedAnswer parsed = ToolForm.parse(Optional.empty(), "<think>\nHm.\n</think>\n\n{\"name\": 1}", TOOLS);
        assertEquals("Hm.", parsed.reasoning());
        assertEquals("{\"name\": 1}", parsed.content());
    }

    @Test
    void whatIsWrongIsSaid() {
        ParsedAnswer parsed = ToolForm.parse(Optional.of(ToolForm.named("hermes")),
                "<tool_call>{\"name\": \"find_trains\", \"arguments\": {\"from\": \"A\", \"seats\": \"two\"}}"
                        + "</tool_call>",
                TOOLS);
        assertEquals("argument 'seats' is \"two\", which is not of type integer", parsed.wrong().get(0).reason());
    }

    @Test
    void anUnknownFormIsRefusedWithThoseThatThereAre() {
        ConfigurationException e = assertThrows(ConfigurationException.class, () -> ToolForm.named("herms"));
        assertTrue(e.getMessage().contains("hermes"), e::getMessage);
    }
}
