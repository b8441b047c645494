package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Registered;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How the models of a family write calls of tools. A form is a class with a line in {@code META-INF/services}. Which
 * one a template has is found by what it makes of a call ({@link #of(ChatTemplate)}).
 */
public abstract class ToolForm {
    static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String USER = "Where is the probe?";
    private static final ToolCall PROBE = new ToolCall("find_probe", NODES.objectNode().put("place", "north pole"));
    private static final ToolCall LONG_PROBE = new ToolCall("find_probe", NODES.objectNode().put("place", "north pole")
            .put("day", "first of May"));
    private static final Map<String, Object> PROBE_TOOL = Map.of("type", "function", "function", Map.of("name",
            PROBE.name(), "description", "Finds.", "parameters", Map.of("type", "object", "properties",
                    Map.of("place", Map.of("type", "string", "description", "A place.")), "required",
                    List.of("place"))));

    private final String name;
    private final Layout layout;
    private final Marks marks;

    /**
     * What a form is known by.
     *
     * @param begins what a call, or a part with calls, may begin with
     * @param bare of these, what may well be the beginning of something else, as a single character always may
     * @param noise what surrounds content and is none
     * @param hints what the text of a template has where it is of this form and does not write calls on its own
     */
    record Marks(List<String> begins, List<String> bare, List<String> noise, List<String> hints) {
        static Marks of(String... begins) {
            return new Marks(List.of(begins), List.of(), List.of(), Stream.of(begins).filter(begin -> begin
                    .length() > 1).toList());
        }

        Marks withBare(String... some) {
            return new Marks(begins, List.of(some), noise, hints);
        }

        Marks withNoise(String... some) {
            return new Marks(begins, bare, List.of(some), hints);
        }

        Marks withHints(String... some) {
            return new Marks(begins, bare, noise, List.of(some));
        }
    }

    /**
     * What surrounds calls.
     *
     * @param open before all
     * @param callOpen before each
     * @param callClose behind each
     * @param separator between two
     * @param close behind all
     */
    public record Layout(String open, String callOpen, String callClose, String separator, String close) {
        /** Calls that each stand by themselves. */
        static Layout each(String open, String close) {
            return new Layout("", open, close, "\n", "");
        }

        static Layout list(String open, String close) {
            return new Layout(open, "", "", ", ", close);
        }
    }

    /**
     * A call around its arguments, for grammars.
     *
     * @param open before the arguments
     * @param members how each is written; empty where they are a JSON object
     * @param close behind them
     */
    public record Shape(String open, Optional<Members> members, String close) {
    }

    /**
     * How arguments are written one by one.
     *
     * @param key before the name of an argument
     * @param value between it and its value; {@code %s} stands for whether that is a string
     * @param end behind the value
     * @param separator between two arguments
     * @param quote around a string, which holds no character that it begins with; JSON's own mark is JSON's string
     */
    public record Members(String key, String value, String end, String separator, String quote) {
    }

    /** @param name what people call it by, in lower case with hyphens */
    ToolForm(String name, Layout layout, Marks marks) {
        this.name = name;
        this.layout = layout;
        this.marks = marks;
    }

    /** What people call it by. */
    public final String name() {
        return name;
    }

    /** What surrounds calls. */
    public final Layout layout() {
        return layout;
    }

    /** What precedes the only call of an answer. */
    public final String begin() {
        return layout.open() + layout.callOpen();
    }

    /** What follows it. */
    public final String end() {
        return layout.callClose() + layout.close();
    }

    /** The only call of an answer between {@link #begin} and {@link #end}. */
    public Shape shape(String tool) {
        String empty = body(new ToolCall(tool, NODES.objectNode()));
        int at = members().isPresent() ? empty.length() - close().length() : empty.lastIndexOf("{}");
        return new Shape(empty.substring(0, at), members(), empty.substring(members().isPresent() ? at : at + 2));
    }

    /**
     * Texts behind which an answer is within a call: the marks that each call begins with or, where these may be
     * something else, what precedes the arguments of each tool.
     */
    public final List<String> triggers(List<Tool> tools) {
        List<String> openings = tools.stream().map(tool -> begin() + shape(tool.name()).open()).toList();
        List<String> marks = begins().stream().filter(mark -> !isBare(mark) && !mark.chars()
                .allMatch(Character::isLetter) && noise().stream().noneMatch(each -> each.startsWith(mark))
                && openings.stream().allMatch(each -> each.startsWith(mark)))
                .toList();
        return marks.isEmpty() ? openings : marks;
    }

    /** How arguments are written where they are no JSON object. */
    Optional<Members> members() {
        return Optional.empty();
    }

    /** What follows such arguments. */
    String close() {
        return "";
    }

    final Marks marks() {
        return marks;
    }

    /** What a call, or a part with calls, may begin with. */
    final List<String> begins() {
        return marks.begins();
    }

    /** What it ends with; where one of these comes the rest is read after a call that is none. */
    List<String> ends() {
        String end = (layout.callClose() + layout.close()).replaceFirst("^]", "").strip();
        return end.isEmpty() ? List.of() : List.of(end);
    }

    /** What surrounds content and is none. */
    final List<String> noise() {
        return marks.noise();
    }

    /** Whether a beginning may well be that of something else. */
    final boolean isBare(String begin) {
        return begin.length() == 1 || marks.bare().contains(begin);
    }

    /** Reads what begins at the cursor, and goes behind it. */
    abstract void read(Cursor cursor, Calls calls);

    /** A call without what surrounds it. */
    abstract String body(ToolCall call);

    /** Calls as an answer of the model. */
    public final String write(List<ToolCall> calls) {
        return calls.stream().map(call -> layout.callOpen() + body(call) + layout.callClose())
                .collect(Collectors.joining(layout.separator(), layout.open(), layout.close()));
    }

    /**
     * A chat template that shows tools and writes calls in this form, for a model whose own does not: tools go into the
     * system message, calls into the text of the assistant, and results into messages of the user.
     *
     * @param own the text of the model's template, which renders these messages
     */
    public final String template(String own) {
        Shape shape = shape(PROBE.name());
        String[] around = shape.open().split(PROBE.name(), 2);
        ObjectNode parts = NODES.objectNode().put("how", "To call one, answer as here:\n" + write(List.of(new ToolCall(
                "NAME", NODES.objectNode().put("ARGUMENT", "VALUE"))))).put("open", layout.open())
                .put("call_open", layout.callOpen()).put("before_name", around[0]).put("behind_name", around[1])
                .put("behind_arguments", shape.close()).put("call_close", layout.callClose())
                .put("separator", layout.separator()).put("close", layout.close())
                .put("json", shape.members().isEmpty()).put("text", "").put("system", "");
        shape.members().ifPresent(members -> parts.put("key", members.key()).put("value", members.value())
                .put("end", members.end()).put("comma", members.separator()).put("quote", members.quote()));
        parts.putArray("messages");
        try (InputStream in = ToolForm.class.getResourceAsStream("tool-form.jinja")) {
            return "{%- set form = namespace(" + parts + ") -%}\n"
                    + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip() + own;
        } catch (IOException e) {
            throw new UncheckedIOException("tool-form.jinja of peft-core", e);
        }
    }

    /**
     * Takes a whole answer apart.
     *
     * @param form of the template; empty where it has none: then there are no calls
     * @param tools those that may be called; none: any
     */
    public static ParsedAnswer parse(Optional<ToolForm> form, String answer, List<Tool> tools) {
        AnswerReader reader = new AnswerReader(form, tools, "", false);
        reader.accept(answer);
        reader.finish();
        return reader.answer();
    }

    /**
     * The calls in an answer, in whichever form a model writes them: that in which most are read and least is left.
     * What is none in any form is no call.
     */
    public static List<ToolCall> calls(String answer) {
        return all().stream().map(form -> parse(Optional.of(form), answer, List.of()))
                .max(Comparator.comparingInt((ParsedAnswer parsed) -> parsed.calls().size())
                        .thenComparingInt(parsed -> -parsed.content().length()))
                .map(ParsedAnswer::calls).orElse(List.of());
    }

    /** All registered forms. */
    public static List<ToolForm> all() {
        return Registered.all(ToolForm.class, ToolForm::name);
    }

    /**
     * The form of a name.
     *
     * @throws ConfigurationException when there is none
     */
    public static ToolForm named(String name) {
        List<ToolForm> all = all();
        return all.stream().filter(form -> form.name().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown form of tool calls '" + name + "'; "
                        + SimilarNames.sentence(name, all.stream().map(ToolForm::name).toList())));
    }

    /**
     * The form in which a template writes calls: a conversation with one is rendered, and the form is the one that
     * writes, or at least reads, what comes out, with the space between its parts that the template has. A template
     * that writes no calls is known by its marks.
     *
     * @return empty where the template shows tools to no model
     */
    public static Optional<ToolForm> of(ChatTemplate template) {
        String source = template.source();
        List<ToolForm> all = all();
        List<String> written = probes(template, List.of(PROBE));
        Optional<ToolForm> writer = all.stream().filter(form -> written.stream().anyMatch(each -> squeezed(each)
                .contains(form.probe()))).max(Comparator.comparingInt(form -> form.probe().length()));
        Optional<ToolForm> found = writer.or(() -> all.stream().filter(form -> written.stream()
                .anyMatch(each -> reads(form, each))).findFirst());
        if (found.isPresent()) {
            return Stream.of(List.of(LONG_PROBE, LONG_PROBE), List.of(LONG_PROBE), List.of(PROBE))
                    .flatMap(calls -> probes(template, calls).stream()
                            .flatMap(text -> RenderedForm.of(found.get(), calls, text).stream()))
                    .findFirst().or(() -> found);
        }
        return all.stream().filter(form -> form.marks.hints().stream().anyMatch(source::contains)).findFirst()
                .or(() -> source.contains("tools") ? Optional.of(named("llama")) : Optional.empty());
    }

    /** Texts that hold the marks by which an answer to chats of a template is taken apart. */
    public static List<String> marked(ChatTemplate template) {
        List<String> all = new ArrayList<>();
        AnswerReader.thoughts().forEach((begin, end) -> all.add(begin + end));
        of(template).ifPresent(form -> {
            all.add(form.write(List.of(PROBE)));
            all.addAll(form.begins());
        });
        return all;
    }

    private static boolean reads(ToolForm form, String written) {
        List<ToolCall> calls = parse(Optional.of(form), written, Tool.of(List.of(PROBE_TOOL))).calls();
        return calls.size() == 1 && calls.get(0).sameAs(PROBE);
    }

    private String probe() {
        return squeezed(write(List.of(PROBE)));
    }

    /** A text without its space. */
    static String squeezed(String text) {
        return text.replaceAll("\\s+", "");
    }

    /** What a template makes of an answer with calls; templates differ in what they take. */
    private static List<String> probes(ChatTemplate template, List<ToolCall> calls) {
        List<String> all = new ArrayList<>();
        for (boolean asText : List.of(false, true)) {
            List<Map<String, Object>> given = calls.stream().map(call -> Map.of("id", "call00001", "type", "function",
                    "function", Map.of("name", call.name(), "arguments", asText ? call.json() : call.values())))
                    .toList();
            for (List<Map<String, Object>> tools : List.of(List.of(PROBE_TOOL), List.<Map<String, Object>>of())) {
                try {
                    String text = template.render(List.of(ChatMessage.user(USER), new ChatMessage("assistant", "",
                            Map.of("tool_calls", given))), false, tools, Map.of());
                    all.add(text.substring(text.lastIndexOf(USER) + USER.length()));
                } catch (PeftException e) {
                    // Another way may do.
                }
            }
        }
        return all;
    }

    @Override
    public String toString() {
        return name;
    }
}
