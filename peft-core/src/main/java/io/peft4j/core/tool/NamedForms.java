package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.PythonJson;
import java.util.List;
import java.util.regex.Pattern;

/** Forms whose calls are the name of a tool and a JSON object of arguments, between marks. */
final class NamedForms {
    private NamedForms() {
    }

    abstract static class Named extends ToolForm {
        private static final Pattern FENCE = Pattern.compile("\\s*```(json)?\\s*");

        private final Pattern between;
        private final String middle;

        /**
         * @param middle what is between name and arguments
         * @param between what may stand there
         */
        Named(String name, Layout layout, String middle, String between, Marks marks) {
            super(name, layout, marks);
            this.middle = middle;
            this.between = Pattern.compile(between);
        }

        @Override
        String body(ToolCall call) {
            return call.name() + middle + PythonJson.text(call.arguments());
        }

        /** The name of the tool in the text at its place. */
        String name(String written) {
            return written.strip();
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            String open = layout().open().strip();
            boolean section = !open.isEmpty() && cursor.skip(open);
            cursor.space();
            do {
                call(cursor, calls);
                int behind = cursor.at;
                cursor.space();
                if (cursor.at == cursor.text.length() && !section) {
                    cursor.at = behind;
                    return;
                }
            } while (!cursor.atEnd() && begins().stream().anyMatch(begin -> cursor.text.startsWith(begin, cursor.at)));
            String close = layout().close().strip();
            if (section && !cursor.atEnd() && !cursor.skip(close)) {
                throw new Cursor.Stop("'" + close + "' is missing");
            }
        }

        private void call(Cursor cursor, Calls calls) {
            int from = cursor.at;
            if (begins().stream().noneMatch(cursor::skip)) {
                throw new Cursor.Stop("'" + layout().callOpen() + "' is missing");
            }
            String name = name(cursor.until("{").replaceAll(between.pattern() + "\\s*$", ""));
            int start = cursor.at;
            JsonNode arguments;
            try {
                arguments = cursor.json();
            } catch (Cursor.Stop stop) {
                String end = layout().callClose().strip();
                int found = end.isEmpty() ? -1 : cursor.text.indexOf(end, start);
                if (stop == Cursor.MORE && found < 0) {
                    calls.open(name, cursor.text.substring(start));
                    throw stop;
                }
                if (found < 0) {
                    throw stop;
                }
                cursor.at = found + end.length();
                calls.wrong(from, cursor.at, stop.getMessage());
                return;
            }
            String json = cursor.text.substring(start, cursor.at);
            cursor.match(FENCE);
            int behind = cursor.at;
            cursor.space();
            String close = layout().callClose().replaceFirst("^\\s*(```)?", "");
            if (close.isEmpty() || !cursor.atEnd() && !cursor.skip(close)) {
                cursor.at = behind;
            }
            calls.add(name, arguments, json, from, cursor.at);
        }
    }

    /** {@code [TOOL_CALLS]name[ARGS]{...}}: Mistral from version 11 of its tokenizer on. */
    public static final class Mistral extends Named {
        public Mistral() {
            super("mistral-args", new Layout("", "[TOOL_CALLS]", "", "", ""), "[ARGS]",
                    "(\\[CALL_ID\\][A-Za-z0-9]*)?(\\[ARGS\\])?", Marks.of("[TOOL_CALLS]"));
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            int start = cursor.at;
            cursor.skip("[TOOL_CALLS]");
            cursor.space();
            boolean list = cursor.sees('[') || cursor.sees('{');
            cursor.at = start;
            if (list) {
                new JsonForms.Mistral().read(cursor, calls);
            } else {
                super.read(cursor, calls);
            }
        }
    }

    /** A name and a block of JSON between DeepSeek's marks: V3 and R1. */
    public static final class DeepSeek3 extends Named {
        public DeepSeek3() {
            super("deepseek-v3", new Layout("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                    "\n```<｜tool▁call▁end｜>", "\n", "<｜tool▁calls▁end｜>"), "\n```json\n", "\\s*```(json)?",
                    Marks.of("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>function<｜tool▁sep｜>"));
        }
    }

    /** A name and JSON between DeepSeek's marks: V3.1. */
    public static final class DeepSeek31 extends Named {
        public DeepSeek31() {
            super("deepseek-v3.1", new Layout("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "",
                    "<｜tool▁calls▁end｜>"), "<｜tool▁sep｜>", "<｜tool▁sep｜>",
                    Marks.of("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"));
        }
    }

    /** {@code functions.name:0} and JSON between Kimi's marks: K2. */
    public static final class Kimi extends Named {
        public Kimi() {
            super("kimi", new Layout("<|tool_calls_section_begin|>", "<|tool_call_begin|>functions.",
                    "<|tool_call_end|>", "", "<|tool_calls_section_end|>"), ":0<|tool_call_argument_begin|>",
                    "\\s*<\\|tool_call_argument_begin\\|>",
                    Marks.of("<|tool_calls_section_begin|>", "<|tool_call_begin|>"));
        }

        @Override
        String name(String written) {
            String id = written.strip();
            return id.matches(".*:\\d+") ? id.replaceFirst("^functions\\.", "").replaceFirst(":\\d+$", "") : "";
        }
    }

    /** An identifier, a name and JSON between marks: Solar. */
    public static final class Solar extends Named {
        public Solar() {
            super("solar", new Layout("<|tool_calls|>", "<|tool_call:begin|>call<|tool_call:name|>",
                    "<|tool_call:end|>", "", "<|calls|>"), "<|tool_call:args|>", "<\\|tool_call:args\\|>",
                    Marks.of("<|tool_calls|>", "<|tool_call:begin|>"));
        }

        @Override
        String name(String written) {
            return written.replaceFirst("(?s)^.*<\\|tool_call:name\\|>", "").strip();
        }
    }

    /** {@code <function=name>{...}</function>}: Llama 3.1 where it is asked to, Functionary 3.1. */
    public static final class Function extends Named {
        public Function() {
            super("llama-function", new Layout("", "<function=", "</function>", "", ""), ">", ">",
                    Marks.of("<function="));
        }
    }

    /** A channel to a function and JSON: OpenAI's open models. */
    public static final class Harmony extends Named {
        public Harmony() {
            super("harmony", new Layout("", "<|channel|>commentary to=functions.", "<|call|>", "", ""),
                    " <|constrain|>json<|message|>",
                    "\\s*(<\\|channel\\|>\\w+)?\\s*(<\\|constrain\\|>)?\\s*(json|code)?<\\|message\\|>",
                    Marks.of("<|start|>assistant<|channel|>commentary to=", "<|start|>assistant<|channel|>analysis to=",
                            "<|start|>assistant to=", "<|channel|>commentary to=", "<|channel|>analysis to=")
                            .withNoise("<|start|>assistant", "<|channel|>final<|message|>",
                                    "<|channel|>commentary<|message|>", "<|end|>", "<|return|>", "<|call|>"));
        }

        @Override
        String name(String written) {
            return written.strip().replaceFirst("^functions\\.", "");
        }

        @Override
        List<String> ends() {
            return List.of("<|call|>", "<|end|>");
        }
    }

    /** {@code >>>name}, a line break and JSON: Functionary 3.2, which writes content to {@code all}. */
    public static final class Functionary extends Named {
        public Functionary() {
            super("functionary-v3.2", new Layout("", ">>>", "", "", ""), "\n", "",
                    Marks.of(">>>").withNoise(">>>all\n"));
        }
    }
}
