package io.peft4j.eval.task;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which tools an answer must call: the right functions in the right order, with arguments that are equal as JSON, or
 * none.
 *
 * @param tools the definitions that the model is shown, as OpenAI has them
 * @param expected the right calls; empty: the answer must call none
 */
public record ToolCheck(List<Map<String, Object>> tools, List<Call> expected) {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final String BEGIN = "<tool_call>";
    private static final String END = "</tool_call>";
    private static final String LIST = "[TOOL_CALLS]";

    /**
     * A call.
     *
     * @param name of the function
     * @param arguments an object
     */
    public record Call(String name, JsonNode arguments) {
        /** Whether function and arguments are the same; 1 and 1.0 are, and so are objects in another order. */
        boolean sameAs(Call other) {
            return name.equals(other.name) && equal(arguments, other.arguments);
        }

        /** {@code search(city="Oslo", days=3)}. */
        @Override
        public String toString() {
            List<String> given = new ArrayList<>();
            arguments.fields().forEachRemaining(field -> given.add(field.getKey() + "=" + field.getValue()));
            return name + given.stream().collect(Collectors.joining(", ", "(", ")"));
        }
    }

    /** Copies the lists. */
    public ToolCheck {
        tools = List.copyOf(tools);
        expected = List.copyOf(expected);
    }

    /**
     * A call in OpenAI's form, {@code {"function": {"name", "arguments"}}} with arguments as a text or an object.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static Call call(Object value) {
        JsonNode node = JSON.valueToTree(value);
        JsonNode function = node.has("function") ? node.get("function") : node;
        JsonNode arguments = function.path("arguments");
        try {
            JsonNode parsed = arguments.isTextual() ? JSON.readTree(arguments.asText()) : arguments;
            if (function.path("name").isTextual() && parsed.isObject()) {
                return new Call(function.get("name").asText(), parsed);
            }
        } catch (JsonProcessingException e) {
            // As one without arguments.
        }
        throw new IllegalArgumentException("a call needs the name of a function and arguments as a JSON object; got "
                + node);
    }

    /**
     * The calls in an answer as models write them: {@code <tool_call>{...}</tool_call>}, {@code [TOOL_CALLS][{...}]},
     * or a whole answer that is a JSON object, or a list of such, with {@code name} and {@code arguments} or
     * {@code parameters}. What is no JSON is no call.
     */
    public static List<Call> calls(String answer) {
        List<Call> calls = new ArrayList<>();
        if (!answer.contains(BEGIN)) {
            int list = answer.indexOf(LIST);
            addCalls(list < 0 ? answer : answer.substring(list + LIST.length()), calls);
            return calls;
        }
        for (int from = answer.indexOf(BEGIN); from >= 0; from = answer.indexOf(BEGIN, from)) {
            from += BEGIN.length();
            int end = answer.indexOf(END, from);
            addCalls(answer.substring(from, end < 0 ? answer.length() : end), calls);
        }
        return calls;
    }

    private static void addCalls(String text, List<Call> calls) {
        try {
            JsonNode value = JSON.readTree(text.strip());
            for (JsonNode each : value.isArray() ? value : JSON.createArrayNode().add(value)) {
                JsonNode given = each.has("arguments") ? each.get("arguments") : each.path("parameters");
                if (each.path("name").isTextual() && given.isObject()) {
                    calls.add(new Call(each.get("name").asText(), given));
                }
            }
        } catch (JsonProcessingException e) {
            // A text.
        }
    }

    /**
     * What an answer of a conversation calls of these tools.
     *
     * @throws IllegalArgumentException when one of its calls is none
     */
    public static ToolCheck of(List<Map<String, Object>> tools, ChatMessage answer) {
        List<Call> expected = new ArrayList<>();
        if (answer.extra().get("tool_calls") instanceof List<?> calls) {
            calls.forEach(each -> expected.add(call(each)));
        } else if (answer.extra().get("function_call") != null) {
            expected.add(call(answer.extra().get("function_call")));
        }
        return new ToolCheck(tools, expected);
    }

    /** Whether a call is right where one is needed. */
    public boolean needsCall() {
        return !expected.isEmpty();
    }

    /** What the first answer to the prompt of a conversation says, or its calls as models write them. */
    public static String answer(ChatExample example) {
        ChatMessage said = example.messages().get(example.prompt().size());
        return !said.hasToolCalls() ? said.content() : of(example.tools(), said).expected.stream()
                .map(call -> BEGIN + JSON.createObjectNode().put("name", call.name()).set("arguments", call.arguments())
                        + END)
                .collect(Collectors.joining());
    }

    /** Whether an answer calls something where it must, and nothing where it must not. */
    public boolean callsWhereNeeded(String answer) {
        return calls(answer).isEmpty() != needsCall();
    }

    /** Whether an answer calls the right functions, in their order. */
    public boolean callsRightFunctions(String answer) {
        return calls(answer).stream().map(Call::name).toList().equals(expected.stream().map(Call::name).toList());
    }

    /** Whether an answer makes exactly the expected calls. */
    public boolean accepts(String answer) {
        List<Call> calls = calls(answer);
        boolean same = calls.size() == expected.size();
        for (int i = 0; same && i < calls.size(); i++) {
            same = calls.get(i).sameAs(expected.get(i));
        }
        return same;
    }

    /** The calls of an answer for people: {@code search(city="Oslo")}, or "no call". */
    public static String words(List<Call> calls) {
        return calls.isEmpty() ? "no call" : calls.stream().map(Call::toString).collect(Collectors.joining("; "));
    }

    static boolean equal(JsonNode a, JsonNode b) {
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue()) == 0;
        }
        if (a.isObject() && b.isObject()) {
            boolean same = a.size() == b.size();
            for (Iterator<Map.Entry<String, JsonNode>> fields = a.fields(); same && fields.hasNext();) {
                Map.Entry<String, JsonNode> field = fields.next();
                same = b.has(field.getKey()) && equal(field.getValue(), b.get(field.getKey()));
            }
            return same;
        }
        if (a.isArray() && b.isArray()) {
            boolean same = a.size() == b.size();
            for (int i = 0; same && i < a.size(); i++) {
                same = equal(a.get(i), b.get(i));
            }
            return same;
        }
        return a.equals(b);
    }
}
