package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.PythonJson;
import java.util.List;
import java.util.Optional;

/** Forms whose calls are JSON objects with a name and arguments, alone or in a list, between marks. */
final class JsonForms {
    private static final List<String> NAMES = List.of("name", "tool_name", "function");
    private static final List<String> ARGUMENTS = List.of("arguments", "parameters");

    private JsonForms() {
    }

    abstract static class Json extends ToolForm {

        Json(String name, Layout layout, Marks marks) {
            super(name, layout, marks);
        }

        /** The keys of name and arguments. */
        List<String> keys() {
            return List.of("name", "arguments");
        }

        @Override
        String body(ToolCall call) {
            return "{\"" + keys().get(0) + "\": " + TextNode.valueOf(call.name()) + ", \"" + keys().get(1) + "\": "
                    + PythonJson.text(call.arguments()) + "}";
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            int start = cursor.at;
            begins().stream().filter(begin -> begin.length() > 1).anyMatch(cursor::skip);
            boolean fenced = cursor.text.substring(start, cursor.at).contains("```");
            cursor.space();
            fenced |= cursor.skip("```json") || cursor.skip("```");
            cursor.space();
            if (cursor.skip("[")) {
                list(cursor, calls);
            } else {
                objects(cursor, calls);
            }
            int behind = cursor.at;
            cursor.space();
            if (fenced && cursor.skip("```")) {
                behind = cursor.at;
                cursor.space();
            }
            if (ends().isEmpty()) {
                cursor.at = behind;
            } else if (!cursor.atEnd() && ends().stream().noneMatch(cursor::skip)) {
                throw new Cursor.Stop("'" + ends().get(0) + "' is missing");
            }
        }

        private void list(Cursor cursor, Calls calls) {
            for (cursor.space(); !cursor.skip("]"); cursor.space()) {
                call(cursor, calls);
                cursor.comma("]");
            }
        }

        /** Objects one behind the other; a line that is none is passed over. */
        private void objects(Cursor cursor, Calls calls) {
            int behind;
            do {
                int line = cursor.at;
                try {
                    call(cursor, calls);
                } catch (Cursor.Stop stop) {
                    int end = cursor.text.indexOf('\n', line);
                    if (stop == Cursor.MORE || end < 0 || calls.items.isEmpty() || ends().isEmpty()) {
                        throw stop;
                    }
                    cursor.at = end;
                    calls.wrong(line, end, stop.getMessage());
                }
                behind = cursor.at;
                cursor.space();
                if (!cursor.atEnd() && (cursor.skip(";") || cursor.skip(","))) {
                    cursor.space();
                }
            } while (!cursor.atEnd() && cursor.sees('{'));
            cursor.at = behind;
        }

        private void call(Cursor cursor, Calls calls) {
            int from = cursor.at;
            Optional<String> name = Optional.empty();
            Optional<JsonNode> arguments = Optional.empty();
            String json = "";
            cursor.expect("{");
            for (cursor.space(); !cursor.skip("}"); cursor.space()) {
                String key = cursor.json().asText();
                cursor.space();
                cursor.expect(":");
                cursor.space();
                int start = cursor.at;
                boolean given = ARGUMENTS.contains(key);
                JsonNode value = value(cursor, calls, given ? name : isName(key) ? Optional.of(key)
                        : Optional.empty());
                if (key.equals("function") && value.isObject()) {
                    name = Optional.of(value.path("name").asText());
                    arguments = ARGUMENTS.stream().filter(value::has).findFirst().map(value::get);
                    json = arguments.map(JsonNode::toString).orElse("");
                } else if (NAMES.contains(key)) {
                    name = Optional.of(value.asText());
                } else if (given || isName(key)) {
                    name = given ? name : Optional.of(key);
                    arguments = Optional.of(value);
                    json = cursor.text.substring(start, cursor.at);
                }
                cursor.comma("}");
            }
            if (name.isEmpty() && isBare("{")) {
                throw new Cursor.Stop("it names no tool");
            }
            calls.add(name.orElse(""), arguments.map(Json::unpacked).orElse(NODES.missingNode()), json, from,
                    cursor.at);
        }

        /** Whether a key of an object is the name of the tool. */
        boolean isName(String key) {
            return false;
        }

        private static JsonNode value(Cursor cursor, Calls calls, Optional<String> name) {
            int start = cursor.at;
            try {
                return cursor.json();
            } catch (Cursor.Stop stop) {
                if (stop == Cursor.MORE && cursor.text.startsWith("{", start)) {
                    name.ifPresent(known -> calls.open(known, cursor.text.substring(start)));
                }
                throw stop;
            }
        }

        /** Arguments as a text that is JSON are what it says. */
        private static JsonNode unpacked(JsonNode arguments) {
            if (arguments.isTextual() && arguments.asText().startsWith("{")) {
                try {
                    return new Cursor(arguments.asText(), 0, true).whole();
                } catch (Cursor.Stop e) {
                    return arguments;
                }
            }
            return arguments.isNull() ? NODES.objectNode() : arguments;
        }
    }

    /** {@code <tool_call>{"name": ..., "arguments": {...}}</tool_call>}: Hermes, Qwen, Granite 4, ERNIE 4.5. */
    public static final class Hermes extends Json {
        public Hermes() {
            super("hermes", Layout.each("<tool_call>\n", "\n</tool_call>"),
                    Marks.of("<tool_call>").withNoise("<response>", "</response>"));
        }
    }

    /** {@code <|tool_call|>[{"name": ..., "arguments": {...}}]}: Granite 3. */
    public static final class Granite extends Json {
        public Granite() {
            super("granite", Layout.list("<|tool_call|>[", "]"),
                    Marks.of("<|tool_call|>", "<tool_call>").withNoise("<response>", "</response>", "<|/tool_call|>"));
        }
    }

    /** {@code <function_call>{"name": ..., "arguments": {...}}}: Granite 20B for function calling. */
    public static final class FunctionCall extends Json {
        public FunctionCall() {
            super("granite-20b", new Layout("", "<function_call> ", "", "", ""), Marks.of("<function_call>"));
        }
    }

    /** {@code [TOOL_CALLS][{"name": ..., "arguments": {...}}]}: Mistral before version 11 of its tokenizer. */
    public static final class Mistral extends Json {
        public Mistral() {
            super("mistral", Layout.list("[TOOL_CALLS][", "]"),
                    Marks.of("[TOOL_CALLS]").withHints("[TOOL_CALLS]", "[AVAILABLE_TOOLS]"));
        }
    }

    /** {@code functools[{"name": ..., "arguments": {...}}]}: Phi-4-mini, Firefunction. */
    public static final class Functools extends Json {
        public Functools() {
            super("phi4-mini", Layout.list("functools[", "]"),
                    Marks.of("functools", "<|tool_call|>").withNoise("<|/tool_call|>").withHints("functools",
                            "<|tool|>"));
        }
    }

    /** {@code <tool_calls>[{"name": ..., "arguments": {...}}]</tool_calls>}: Hunyuan, Jamba, Apriel. */
    public static final class Hunyuan extends Json {
        public Hunyuan() {
            super("hunyuan", Layout.list("<tool_calls>[", "]</tool_calls>"),
                    Marks.of("<tool_calls>").withNoise("<answer>", "</answer>"));
        }
    }

    /** {@code <tool_calls>}, an object a line, {@code </tool_calls>}: MiniMax M1. */
    public static final class MiniMax extends Json {
        public MiniMax() {
            super("minimax", new Layout("<tool_calls>\n", "", "", "\n", "\n</tool_calls>"), Marks.of("<tool_calls>"));
        }
    }

    /** {@code <TOOLCALL>[{"name": ..., "arguments": {...}}]</TOOLCALL>}: Nemotron Nano 2 and Super. */
    public static final class Nemotron extends Json {
        public Nemotron() {
            super("nemotron", Layout.list("<TOOLCALL>[", "]</TOOLCALL>"), Marks.of("<TOOLCALL>"));
        }
    }

    /** {@code <|action_start|><|plugin|>{"name": ..., "parameters": {...}}<|action_end|>}: InternLM 2. */
    public static final class InternLm extends Json {
        public InternLm() {
            super("internlm2", Layout.each("<|action_start|><|plugin|>", "<|action_end|>"),
                    Marks.of("<|action_start|><|plugin|>"));
        }

        @Override
        List<String> keys() {
            return List.of("name", "parameters");
        }
    }

    /** {@code <|START_ACTION|>[{"tool_name": ..., "parameters": {...}}]<|END_ACTION|>}: Command R7B and A. */
    public static final class Cohere extends Json {
        public Cohere() {
            super("cohere", Layout.list("<|START_ACTION|>[", "]<|END_ACTION|>"),
                    Marks.of("<|START_ACTION|>", "Action: ```json", "Action:```json")
                            .withNoise("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>")
                            .withHints("<|START_ACTION|>", "Action:").withBare("Action: ```json", "Action:```json"));
        }

        @Override
        List<String> keys() {
            return List.of("tool_name", "parameters");
        }
    }

    /** {@code <longcat_tool_call>{"name": ..., "arguments": {...}}</longcat_tool_call>}: LongCat. */
    public static final class LongCat extends Json {
        public LongCat() {
            super("longcat", Layout.each("<longcat_tool_call>\n", "\n</longcat_tool_call>"),
                    Marks.of("<longcat_tool_call>"));
        }
    }

    /** {@code <|function_call|>{"name": ..., "arguments": {...}}}: GigaChat 3. */
    public static final class GigaChat extends Json {
        public GigaChat() {
            super("gigachat", new Layout("", "<|function_call|>", "", "", ""),
                    Marks.of("<|function_call|>", "function call<|role_sep|>\n").withNoise("<|message_sep|>"));
        }
    }

    /** {@code <|tools_prefix|>[{"name": {...}}]<|tools_suffix|>}: Apertus. */
    public static final class Apertus extends Json {
        public Apertus() {
            super("apertus", Layout.list("<|tools_prefix|>[", "]<|tools_suffix|>"), Marks.of("<|tools_prefix|>"));
        }

        @Override
        String body(ToolCall call) {
            return "{" + TextNode.valueOf(call.name()) + ": " + PythonJson.text(call.arguments()) + "}";
        }

        @Override
        boolean isName(String key) {
            return true;
        }
    }

    /** A list {@code [{"name": ..., "arguments": {...}}]}, in a block of code or between marks of others too: xLAM. */
    public static final class XLam extends Json {
        public XLam() {
            super("xlam", Layout.list("[", "]"), Marks.of("[TOOL_CALLS]", "<tool_call>", "```json", "```", "[")
                    .withNoise("</tool_call>").withHints().withBare("```json", "```"));
        }
    }
}
