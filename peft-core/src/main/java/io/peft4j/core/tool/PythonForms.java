package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Forms whose calls are calls of functions in Python. */
final class PythonForms {
    private static final Pattern NAME = Pattern.compile("(?U)[A-Za-z_][\\w.\\-]*");

    private PythonForms() {
    }

    abstract static class Python extends ToolForm {
        /** Where a string with quotes inside that are not escaped ends. */
        private static final Pattern BEHIND_STRING = Pattern.compile("\\s*(,\\s*\\w+\\s*=|\\)\\s*([],\\n<]|$))");

        Python(String name, Layout layout, Marks marks) {
            super(name, layout, marks);
        }

        @Override
        Optional<Members> members() {
            return Optional.of(new Members("", "=", "", ", ", "\""));
        }

        @Override
        String close() {
            return ")";
        }

        @Override
        String body(ToolCall call) {
            return call.name() + call.arguments().properties().stream()
                    .map(field -> field.getKey() + "=" + literal(field.getValue()))
                    .collect(Collectors.joining(", ", "(", ")"));
        }

        private static String literal(JsonNode value) {
            if (value.isArray()) {
                return value.valueStream().map(Python::literal).collect(Collectors.joining(", ", "[", "]"));
            }
            if (value.isObject()) {
                return value.propertyStream().map(field -> TextNode.valueOf(field.getKey()) + ": "
                        + literal(field.getValue())).collect(Collectors.joining(", ", "{", "}"));
            }
            return value.isNull() ? "None"
                    : value.isBoolean() ? value.asBoolean() ? "True" : "False" : value.toString();
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            begins().stream().filter(begin -> begin.length() > 1).anyMatch(cursor::skip);
            cursor.space();
            boolean list = cursor.skip("[");
            calls(cursor, calls, list);
            int behind = cursor.at;
            cursor.space();
            if (ends().isEmpty() || cursor.at < cursor.text.length() && ends().stream().noneMatch(cursor::skip)
                    && begins().contains("[")) {
                cursor.at = behind;
            } else if (cursor.at < cursor.text.length() || !cursor.atEnd()) {
                String end = ends().get(0);
                if (!cursor.text.substring(behind, cursor.at).strip().endsWith(end)) {
                    cursor.expect(end);
                }
            }
        }

        private void calls(Cursor cursor, Calls calls, boolean list) {
            while (true) {
                cursor.space();
                if (list && cursor.skip("]") || !list && (cursor.atEnd() || cursor.sees('<'))) {
                    return;
                }
                int from = cursor.at;
                try {
                    call(cursor, calls);
                } catch (Cursor.Stop stop) {
                    passOver(cursor, calls, from, stop);
                }
                cursor.space();
                if (!cursor.atEnd() && !cursor.skip(",") && list && !cursor.sees(']')) {
                    throw new Cursor.Stop("',' or ']' is missing behind a call");
                }
            }
        }

        private void call(Cursor cursor, Calls calls) {
            int from = cursor.at;
            String name = name(cursor);
            calls.open(name, "");
            ObjectNode arguments = NODES.objectNode();
            for (cursor.space(); !cursor.skip(")"); cursor.space()) {
                String key = cursor.match(NAME);
                cursor.space();
                if (key.isEmpty() || !cursor.skip("=")) {
                    throw new Cursor.Stop("an argument has no name");
                }
                cursor.space();
                arguments.set(key, value(cursor));
                cursor.comma(")");
                calls.open(name, arguments);
            }
            calls.add(name, arguments, arguments.toString(), from, cursor.at);
        }

        private static String name(Cursor cursor) {
            String name = cursor.match(NAME);
            cursor.space();
            if (name.isEmpty() || !cursor.skip("(")) {
                throw new Cursor.Stop("it is no call of a function");
            }
            return name;
        }

        private static JsonNode value(Cursor cursor) {
            int start = cursor.at;
            char first = cursor.peek();
            Cursor.Stop fault;
            try {
                JsonNode value = cursor.python(0);
                int end = cursor.at;
                cursor.space();
                boolean ends = cursor.sees(',') || cursor.sees(')');
                cursor.at = end;
                if (ends || first != '\'' && first != '"') {
                    return value;
                }
                fault = new Cursor.Stop("a string does not end");
            } catch (Cursor.Stop stop) {
                fault = stop;
            }
            cursor.at = start;
            if (first != '\'' && first != '"') {
                throw fault;
            }
            return TextNode.valueOf(cursor.looselyQuoted(BEHIND_STRING));
        }

        /** A call that is none does not hide those behind it. */
        private void passOver(Cursor cursor, Calls calls, int from, Cursor.Stop stop) {
            if (stop == Cursor.MORE) {
                throw stop;
            }
            cursor.at = from;
            name(cursor);
            int open = 1;
            while (open > 0) {
                char next = cursor.peek();
                open += next == '(' ? 1 : next == ')' ? -1 : 0;
                cursor.at++;
            }
            calls.wrong(from, cursor.at, stop.getMessage());
        }
    }

    /** {@code <|tool_call_start|>[name(key="value")]<|tool_call_end|>}: LFM2. */
    public static final class Lfm extends Python {
        public Lfm() {
            super("lfm2", Layout.list("<|tool_call_start|>[", "]<|tool_call_end|>"), Marks.of("<|tool_call_start|>")
                    .withHints("<|tool_call_start|>", "<|tool_list_start|>", "List of tools: ["));
        }
    }

    /** {@code <function_calls>}, a call a line, {@code </function_calls>}: OLMo 3. */
    public static final class Olmo extends Python {
        public Olmo() {
            super("olmo3", new Layout("<function_calls>", "", "", "\n", "</function_calls>"),
                    Marks.of("<function_calls>"));
        }
    }

    /** {@code [name(key="value")]}: Llama 3.2 and 4 where they are asked to. */
    public static final class Bare extends Python {
        public Bare() {
            super("pythonic", Layout.list("[", "]"),
                    Marks.of("<|python_start|>", "[").withHints("func_name1(params_name1")
                            .withBare("<|python_start|>"));
        }

        @Override
        List<String> ends() {
            return List.of("<|python_end|>");
        }
    }
}
