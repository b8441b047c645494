package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers as events: thoughts, text, calls and what was meant as one, told by characters. */
class CallStreamTest {
    private static final String WRONG = "<tool_call>\n{\"name\": \"pong\", \"arguments\": {}}\n</tool_call>";
    private static final ToolCall CALL = ToolCall.of(Map.of("name", "ping", "arguments",
            "{\"host\": \"a, \\\"b\\\" é\", \"times\": 2}"));

    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

    static Stream<ToolForm> forms() {
        return ToolForm.all().stream();
    }

    private static ToolUse use(ToolForm form, boolean forced, String prompt) {
        ObjectNode tool = Json.object().put("type", "function");
        ObjectNode function = tool.putObject("function").put("name", "ping");
        ObjectNode properties = function.putObject("parameters").put("type", "object").putObject("properties");
        properties.putObject("host").put("type", "string");
        properties.putObject("times").put("type", "integer");
        return new ToolUse(List.of(tool), List.of("ping"), Optional.of(form), forced, true, forced, "")
                .behind(prompt, true);
    }

    @SuppressWarnings("unchecked")
    private static <T> T proxy(Class<T> type, Map<String, Object> answers) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, given) -> answers
                .get(method.getName()));
    }

    private EventStream events() {
        ServletOutputStream out = new ServletOutputStream() {
            @Override
            public boolean isReady() {
                return true;
            }

            @Override
            public void setWriteListener(WriteListener listener) {
                // Nothing waits.
            }

            @Override
            public void write(int value) {
                sent.write(value);
            }
        };
        return new EventStream(proxy(Context.class, Map.of("res", proxy(HttpServletResponse.class,
                Map.of("getOutputStream", out)))));
    }

    private List<JsonNode> told(Function<EventStream, AnswerListener> listener, String answer) throws IOException {
        sent.reset();
        AnswerListener stream = listener.apply(events());
        answer.chars().forEach(each -> assertTrue(stream.onText(0, String.valueOf((char) each), List.of())));
        stream.onEnd(0, new Completion(answer, new int[] {1}, Completion.StopReason.STOP_TOKEN, true, 1, List.of()));
        List<JsonNode> all = new ArrayList<>();
        for (String line : sent.toString(StandardCharsets.UTF_8).split("\n")) {
            if (line.startsWith("data: {")) {
                all.add(new ObjectMapper().readTree(line.substring(6)));
            }
        }
        return all;
    }

    private static ReplyParts replies() {
        return new ReplyParts(proxy(Tokenizer.class, Map.of()), Set.of());
    }

    private List<JsonNode> chat(ToolUse use, String answer) throws IOException {
        ChatRequest request = new ChatRequest("tiny", "messages", List.of(), use, Map.of(),
                GenerationOptions.defaults(), "max_tokens", Optional.empty(), new Streaming(true, false, false));
        return told(events -> new ChatStream(request, replies(), events, Json::object), answer).stream()
                .map(event -> event.at("/choices/0")).toList();
    }

    private List<JsonNode> responses(ToolUse use, String answer) throws IOException {
        return told(events -> new ResponseStream(use, new ResponseBody(Json.object().put("model", "tiny"), 0),
                replies(), Optional.of(events)), answer);
    }

    private static String joined(List<JsonNode> all, String pointer) {
        return all.stream().map(each -> each.at(pointer).asText()).collect(Collectors.joining());
    }

    private static String deltas(List<JsonNode> all, String type) {
        return joined(all.stream().filter(each -> each.path("type").asText().equals(type)).toList(), "/delta");
    }

    @ParameterizedTest
    @MethodSource("forms")
    void piecesOfACallJoinToTheWhole(ToolForm form) throws IOException {
        String answer = form.write(List.of(CALL));
        for (boolean forced : List.of(true, false)) {
            ToolUse use = use(form, forced, forced ? "assistant\n<think>\n" : "");
            String text = forced ? answer.substring(form.begin().length(), answer.length() - form.end().length())
                    : answer;
            ParsedAnswer whole = use.parsed(text);
            String arguments = Json.text(whole.calls().get(0).arguments());
            List<JsonNode> choices = chat(use, text);
            List<JsonNode> pieces = choices.stream().map(each -> each.at("/delta/tool_calls/0"))
                    .filter(JsonNode::isObject).toList();
            assertEquals("ping", joined(pieces, "/function/name"));
            assertTrue(pieces.get(0).path("id").asText().startsWith("call_"), pieces::toString);
            assertTrue(pieces.stream().skip(1).noneMatch(each -> each.has("id")), pieces::toString);
            assertEquals(arguments, joined(pieces, "/function/arguments"));
            assertTrue(pieces.size() > 2, pieces::toString);
            assertEquals("tool_calls", choices.get(choices.size() - 1).path("finish_reason").asText());
            assertEquals("", joined(choices, "/delta/content"));

            List<JsonNode> events = responses(use, text);
            assertEquals(arguments, deltas(events, "response.function_call_arguments.delta"));
            assertEquals(arguments, joined(events.stream().filter(each -> each.path("type").asText()
                    .equals("response.function_call_arguments.done")).toList(), "/arguments"));
            assertEquals("completed", events.get(events.size() - 1).at("/item/status").asText());
            assertEquals("ping", events.get(events.size() - 1).at("/item/name").asText());
        }
    }

    @Test
    void whatIsNoCallStaysTextAndIsListedInStreamsToo() throws IOException {
        ToolUse use = use(ToolForm.named("hermes"), false, "");
        List<JsonNode> choices = chat(use, "Well. " + WRONG);
        assertEquals("Well. " + WRONG, joined(choices, "/delta/content"));
        JsonNode last = choices.get(choices.size() - 1);
        assertEquals("no tool is named 'pong'; there are [ping]",
                last.at("/delta/invalid_tool_calls/0/reason").asText());
        assertEquals("stop", last.path("finish_reason").asText());
        List<JsonNode> events = responses(use, "Well. " + WRONG);
        JsonNode message = events.get(events.size() - 1).path("item");
        JsonNode before = responses(use, "Well. " + WRONG + ToolForm.named("hermes").write(List.of(CALL))).stream()
                .filter(each -> each.path("type").asText().equals("response.output_item.done")).findFirst()
                .orElseThrow().path("item");
        assertEquals(message.path("invalid_tool_calls"), before.path("invalid_tool_calls"));
        assertEquals("Well. " + WRONG, message.at("/content/0/text").asText());
        assertEquals(last.at("/delta/invalid_tool_calls"), message.path("invalid_tool_calls"));
    }

    @Test
    void thoughtsAreStreamedAndNeverAnswerOrCall() throws IOException {
        String call = ToolForm.named("hermes").write(List.of(CALL));
        String thought = "I could " + call + " or not.";
        for (String begin : List.of("", "<think>")) {
            ToolUse use = use(ToolForm.named("hermes"), false,
                    begin.isEmpty() ? "assistant\n<think>\n" : "assistant\n");
            String answer = begin + thought + "</think>\n\nI do.\n" + call;
            List<JsonNode> choices = chat(use, answer);
            assertEquals(thought, joined(choices, "/delta/reasoning_content"));
            assertEquals("I do.", joined(choices, "/delta/content"));
            assertEquals("ping", joined(choices, "/delta/tool_calls/0/function/name"));
            assertTrue(choices.stream().filter(each -> each.at("/delta").has("reasoning_content")).count() > 5);
            List<JsonNode> events = responses(use, answer);
            assertEquals(thought, deltas(events, "response.reasoning_text.delta"));
            assertEquals("I do.", deltas(events, "response.output_text.delta"));
            List<String> items = events.stream().filter(each -> each.path("type").asText()
                    .equals("response.output_item.done")).map(each -> each.at("/item/type").asText()).toList();
            assertEquals(List.of("reasoning", "message", "function_call"), items);
        }
        ToolUse cut = use(ToolForm.named("hermes"), false, "assistant\n<think>\n");
        assertEquals("", cut.parsed("I could " + call).content(), "a thought that did not end");
        assertFalse(joined(chat(cut, "I could " + call), "/delta/reasoning_content").isEmpty());
    }
}
