package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.PythonJson;
import java.util.Optional;
import java.util.stream.Stream;

/** Forms whose calls are the name of a tool and a tag for each argument; types are those of the tool's schema. */
final class XmlForms {
    private XmlForms() {
    }

    /**
     * The tags.
     *
     * @param function before the name
     * @param named behind it
     * @param key before the name of an argument
     * @param value between it and its value; {@code %s} stands for whether that is a string
     * @param closed behind the value
     * @param done behind all arguments
     */
    record Tags(String function, String named, String key, String value, String closed, String done) {
    }

    abstract static class Xml extends ToolForm {
        private final Tags tags;

        Xml(String name, Layout layout, Tags tags, Marks marks) {
            super(name, layout, marks);
            this.tags = tags;
        }

        /** Whether values without a schema are read as JSON where they are. */
        boolean guesses() {
            return false;
        }

        @Override
        Optional<Members> members() {
            return Optional.of(new Members(tags.key(), tags.value(), tags.closed(), "", ""));
        }

        @Override
        String close() {
            return tags.done();
        }

        @Override
        String body(ToolCall call) {
            StringBuilder body = new StringBuilder(tags.function()).append(call.name()).append(tags.named());
            call.arguments().fields().forEachRemaining(field -> body.append(tags.key()).append(field.getKey())
                    .append(value(field.getValue())).append(PythonJson.text(field.getValue())).append(tags.closed()));
            return body.append(tags.done()).toString();
        }

        private String value(JsonNode value) {
            return tags.value().replace("%s", String.valueOf(value.isTextual()));
        }

        @Override
        void read(Cursor cursor, Calls calls) {
            String open = (layout().open() + layout().callOpen()).strip();
            boolean section = cursor.skip(open);
            String close = (layout().callClose() + layout().close()).strip();
            do {
                cursor.space();
                call(cursor, calls, close);
                if (!section) {
                    return;
                }
                cursor.space();
            } while (!cursor.atEnd() && !cursor.skip(close));
        }

        private void call(Cursor cursor, Calls calls, String close) {
            int from = cursor.at;
            String function = tags.function().strip();
            cursor.expect(function);
            String key = tags.key().strip();
            String done = tags.done().strip();
            String named = tags.named().strip();
            String name = named.isEmpty() ? cursor.until("\n", key, close) : cursor.until(named);
            cursor.skip(named);
            calls.open(name.strip(), "");
            Tool tool = calls.tool(name.strip());
            ObjectNode arguments = NODES.objectNode();
            for (cursor.space(); !cursor.atEnd() && cursor.skip(key); cursor.space()) {
                argument(cursor, tool, arguments, close);
                calls.open(name.strip(), arguments);
            }
            if (!done.isEmpty() && !cursor.atEnd() && !cursor.skip(done)
                    && !cursor.text.startsWith(close, cursor.at)) {
                throw new Cursor.Stop("'" + done + "' is missing");
            }
            calls.add(name.strip(), arguments, arguments.toString(), from, cursor.at);
        }

        private void argument(Cursor cursor, Tool tool, ObjectNode arguments, String close) {
            // Behind the name may stand whether the value is a string.
            String behind = tags.value().contains("%s") ? ">" : tags.value().strip();
            String[] value = behind.split("\\s+", 2);
            String name = cursor.until(value[0]).strip();
            cursor.skip(value[0]);
            if (value.length > 1) {
                cursor.space();
                cursor.expect(value[1]);
            }
            boolean text = true;
            String closed = tags.closed().strip();
            if (name.endsWith("\"")) {
                text = !name.contains(" string=\"false");
                name = name.replaceFirst("\".*", "");
            }
            int start = cursor.at;
            String next = "\n" + tags.key().strip();
            String written = cursor
                    .until(Stream.of(closed, next, tags.done().strip(), close).filter(end -> !end.isEmpty())
                            .toArray(String[]::new));
            if (!cursor.skip(closed) && cursor.text.startsWith(next, cursor.at)) {
                int end = cursor.text.indexOf(closed, start);
                if (end >= 0 && end < cursor.text.indexOf(behind, cursor.at + next.length())) {
                    // The value only speaks of a tag.
                    written = cursor.text.substring(start, end);
                    cursor.at = end + closed.length();
                }
            }
            arguments.set(name, tool.typed(name, trimmed(written), guesses() || !text));
        }

        /** A value without the line breaks that belong to its tags. */
        private static String trimmed(String value) {
            String behind = value.startsWith("\n") ? value.substring(1) : value;
            return behind.endsWith("\n") ? behind.substring(0, behind.length() - 1) : behind;
        }
    }

    /** {@code <tool_call><function=name><parameter=key>}: Qwen3-Coder, Qwen 3.5, Nemotron 3, Step 3.5. */
    public static final class Qwen extends Xml {
        public Qwen() {
            super("qwen-xml", Layout.each("<tool_call>\n", "\n</tool_call>"), new Tags("<function=", ">\n",
                    "<parameter=", ">\n", "\n</parameter>\n", "</function>"), Marks.of("<tool_call>", "<function="));
        }
    }

    /** {@code <seed:tool_call><function=name><parameter=key>}: Seed OSS. */
    public static final class Seed extends Xml {
        public Seed() {
            super("seed", Layout.each("<seed:tool_call>\n", "\n</seed:tool_call>"), new Tags("<function=", ">\n",
                    "<parameter=", ">", "</parameter>\n", "</function>"), Marks.of("<seed:tool_call>"));
        }
    }

    /** {@code <minimax:tool_call><invoke name="..."><parameter name="...">}: MiniMax M2. */
    public static final class MiniMax extends Xml {
        public MiniMax() {
            super("minimax-m2", new Layout("<minimax:tool_call>\n", "", "", "\n", "\n</minimax:tool_call>"),
                    new Tags("<invoke name=\"", "\">\n", "<parameter name=\"", "\">", "</parameter>\n", "</invoke>"),
                    Marks.of("<minimax:tool_call>"));
        }
    }

    /** The same between DeepSeek's marks, with a note which values are strings: V3.2. */
    public static class DeepSeek extends Xml {
        public DeepSeek() {
            this("deepseek-v3.2", "function_calls");
        }

        DeepSeek(String name, String section) {
            super(name, new Layout("<｜DSML｜" + section + ">\n", "", "", "\n", "\n</｜DSML｜" + section + ">"),
                    new Tags("<｜DSML｜invoke name=\"", "\">\n", "<｜DSML｜parameter name=\"", "\" string=\"%s\">",
                            "</｜DSML｜parameter>\n", "</｜DSML｜invoke>"),
                    Marks.of("<｜DSML｜" + section + ">"));
        }
    }

    /** As V3.2 under another name of the section: V4. */
    public static final class DeepSeek4 extends DeepSeek {
        public DeepSeek4() {
            super("deepseek-v4", "tool_calls");
        }
    }

    /** {@code <tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value></tool_call>}: GLM 4.5 and newer. */
    public static final class Glm extends Xml {
        public Glm() {
            super("glm", Layout.each("<tool_call>", "</tool_call>"), new Tags("", "\n", "<arg_key>",
                    "</arg_key>\n<arg_value>", "</arg_value>\n", ""), Marks.of("<tool_call>"));
        }

        @Override
        boolean guesses() {
            return true;
        }
    }

    /** As GLM, with marks around all calls and behind the name: Hunyuan 3. */
    public static final class Hunyuan extends Xml {
        public Hunyuan() {
            super("hunyuan-3", new Layout("<tool_calls>\n", "", "", "\n", "\n</tool_calls>"), new Tags("<tool_call>",
                    "<tool_sep>\n", "<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>\n", "</tool_call>"),
                    Marks.of("<tool_calls>").withHints("<tool_sep"));
        }

        @Override
        boolean guesses() {
            return true;
        }
    }

    /** {@code <function name="..."><param name="...">}: MiniCPM 5. */
    public static final class MiniCpm extends Xml {
        public MiniCpm() {
            super("minicpm", Layout.each("", ""), new Tags("<function name=\"", "\">", "<param name=\"", "\">",
                    "</param>", "</function>"), Marks.of("<function name=\""));
        }
    }
}
