package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Forms {@code call:name{key:value}} whose strings stand between marks of their own. */
final class GemmaForms {
    private static final Pattern BARE = Pattern.compile("[^,{}\\[\\]]*");
    private static final int DEEPEST = 200;

    private GemmaForms() {
    }

    abstract static class Gemma extends ToolForm {
        private final String quote;

        /**
         * @param quote what surrounds strings
         * @param noise what surrounds content
         */
        Gemma(String name, Layout layout, String quote, String... noise) {
            super(name, layout, Marks.of(layout.callOpen().replace("call:", "")).withNoise(noise));
            this.quote = quote;
        }

        @Override
        Optional<Members> members() {
            return Optional.of(new Members("", ":", "", ",", quote));
        }

        @Override
        String close() {
            return "}";
        }

        @Override
        String body(ToolCall call) {
            return call.name() + literal(call.arguments());
        }

        private String literal(JsonNode value) {
            if (value.isObject()) {
                return value.propertyStream().map(field -> field.getKey() + ":" + literal(field.getValue()))
                        .collect(Collectors.joining(",", "{", "}"));
            }
            if (value.isArray()) {
                return value.valueStream().map(this::literal).collect(Collectors.joining(",", "[", "]"));
            }
            return value.isTextual() ? quote + value.asText() + quote : value.toString();
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            int from = cursor.at;
            cursor.expect(begins().get(0));
            cursor.space();
            cursor.expect("call:");
            String name = cursor.until("{").strip();
            calls.open(name, "");
            ObjectNode arguments = fields(cursor, calls, name, 0);
            cursor.space();
            cursor.expect(layout().callClose());
            Tool tool = calls.tool(name);
            ObjectNode typed = NODES.objectNode();
            arguments.fields().forEachRemaining(field -> typed.set(field.getKey(), tool.typed(field.getKey(),
                    field.getValue())));
            calls.add(name, typed, typed.toString(), from, cursor.at);
        }

        private ObjectNode fields(Cursor cursor, Calls calls, String name, int depth) {
            ObjectNode fields = NODES.objectNode();
            cursor.expect("{");
            for (cursor.space(); !cursor.skip("}"); cursor.space()) {
                String key = cursor.skip(quote) ? string(cursor) : cursor.until(":").strip();
                cursor.space();
                cursor.expect(":");
                fields.set(key, value(cursor, calls, depth + 1));
                if (depth == 0) {
                    calls.open(name, fields);
                }
                cursor.space();
                if (!cursor.skip(",") && !cursor.sees('}') && !fields.get(key).isTextual()) {
                    throw new Cursor.Stop("',' or '}' is missing");
                }
            }
            return fields;
        }

        private String string(Cursor cursor) {
            String value = cursor.until(quote);
            cursor.skip(quote);
            return value;
        }

        private JsonNode value(Cursor cursor, Calls calls, int depth) {
            if (depth > DEEPEST) {
                throw new Cursor.Stop("values are nested too deeply");
            }
            cursor.space();
            if (cursor.skip(quote)) {
                return TextNode.valueOf(string(cursor));
            }
            if (cursor.sees('{')) {
                return fields(cursor, calls, "", depth);
            }
            if (!cursor.skip("[")) {
                String bare = cursor.match(BARE).strip();
                return new Tool("", NODES.objectNode()).typed("", bare, true);
            }
            ArrayNode list = NODES.arrayNode();
            for (cursor.space(); !cursor.skip("]"); cursor.space()) {
                list.add(value(cursor, calls, depth + 1));
                cursor.comma("]");
            }
            return list;
        }
    }

    /** {@code <start_function_call>call:name{key:<escape>value<escape>}<end_function_call>}: FunctionGemma. */
    public static final class Function extends Gemma {
        public Function() {
            super("functiongemma", new Layout("", "<start_function_call>call:", "<end_function_call>", "", ""),
                    "<escape>", "<start_function_response>");
        }
    }

    /** {@code <|tool_call>call:name{key:<|"|>value<|"|>}<tool_call|>}: Gemma 4. */
    public static final class Gemma4 extends Gemma {
        public Gemma4() {
            super("gemma4", new Layout("", "<|tool_call>call:", "<tool_call|>", "", ""), "<|\"|>", "<|tool_response>",
                    "<turn|>");
        }
    }
}
