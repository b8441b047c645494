package io.peft4j.core.tool;

import io.peft4j.core.decision.PythonJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A form as a template writes it: with the space between its parts that a model of this template has seen in training
 * rows and in the history of chats.
 */
final class RenderedForm extends ToolForm {
    private final ToolForm form;
    private final String probe;
    private final Shape shape;

    private RenderedForm(ToolForm form, Layout layout, String probe, Shape shape) {
        super(form.name(), layout, form.marks());
        this.form = form;
        this.probe = probe;
        this.shape = shape;
    }

    /**
     * A form as it is written in a text.
     *
     * @param calls those in the text, whose arguments are texts
     * @return empty where the text holds no such calls, however they are spaced
     */
    static Optional<ToolForm> of(ToolForm form, List<ToolCall> calls, String text) {
        return Parts.of(form.write(calls), text).map(parts -> {
            Layout own = form.layout();
            ToolCall call = calls.get(0);
            String open = parts.next(own.open(), true);
            String callOpen = parts.next(own.callOpen(), true);
            Shape shape = parts.shape(form, call);
            String callClose = parts.next(own.callClose(), false);
            String separator = own.separator();
            if (calls.size() > 1) {
                separator = parts.next(own.separator(), true);
                parts.next(own.callOpen() + form.body(calls.get(1)), false);
                parts.next(own.callClose(), false);
            }
            Layout layout = new Layout(open, callOpen, callClose, separator, parts.next(own.close(), false));
            return layout.equals(own) && shape.equals(form.shape(call.name())) ? form
                    : new RenderedForm(form, layout, call.name(), shape);
        });
    }

    @Override
    public Shape shape(String tool) {
        return new Shape(shape.open().replace(probe, tool), shape.members(), shape.close());
    }

    @Override
    Optional<Members> members() {
        return shape.members();
    }

    @Override
    List<String> ends() {
        return form.ends();
    }

    @Override
    void read(Cursor cursor, Calls calls) {
        form.read(cursor, calls);
    }

    @Override
    String body(ToolCall call) {
        Shape own = shape(call.name());
        String arguments = own.members().map(members -> call.arguments().properties().stream().map(Map.Entry::getKey)
                .map(key -> members.key() + key + mark(members, call, key) + value(form, call, key) + members.end())
                .collect(Collectors.joining(members.separator()))).orElseGet(() -> PythonJson.text(call.arguments()));
        return own.open() + arguments + own.close();
    }

    /** An argument's value as a form writes it. */
    private static String value(ToolForm form, ToolCall call, String key) {
        String body = form.body(new ToolCall(call.name(), NODES.objectNode().set(key, call.arguments().get(key))));
        Shape own = form.shape(call.name());
        Members members = own.members().orElseThrow();
        return body.substring((own.open() + members.key() + key + mark(members, call, key)).length(), body.length()
                - (members.end() + own.close()).length());
    }

    private static String mark(Members members, ToolCall call, String key) {
        return members.value().replace("%s", String.valueOf(call.arguments().get(key).isTextual()));
    }

    @Override
    public String toString() {
        return name() + " as " + layout() + shape;
    }

    /** The parts of one text in another that differs from it in space alone. */
    private static final class Parts {
        private final String text;
        private int at;

        private Parts(String text) {
            this.text = text;
        }

        static Optional<Parts> of(String own, String text) {
            int[] places = IntStream.range(0, text.length()).filter(i -> !Character.isWhitespace(text.charAt(i)))
                    .toArray();
            int found = squeezed(text).indexOf(squeezed(own));
            return found < 0 ? Optional.empty() : Optional.of(new Parts(text.substring(places[found])));
        }

        /** What a part of the form is here; the space behind it is its own, or that of the next one. */
        String next(String part, boolean withSpace) {
            int from = at;
            for (int left = squeezed(part).length(); left > 0; left--) {
                at = behindSpace() + 1;
            }
            at = withSpace ? behindSpace() : at;
            return text.substring(from, at);
        }

        private int behindSpace() {
            int to = at;
            while (to < text.length() && Character.isWhitespace(text.charAt(to))) {
                to++;
            }
            return to;
        }

        Shape shape(ToolForm form, ToolCall call) {
            Shape own = form.shape(call.name());
            String open = next(own.open(), true);
            if (own.members().isEmpty()) {
                next(PythonJson.text(call.arguments()), false);
                return new Shape(open, Optional.empty(), next(own.close(), false));
            }
            Members before = own.members().get();
            String key = "";
            String mark = "";
            String separator = before.separator();
            List<String> ends = new ArrayList<>();
            for (String name : call.arguments().properties().stream().map(Map.Entry::getKey).toList()) {
                separator = ends.isEmpty() ? separator : next(separator, true);
                key = next(before.key(), true);
                next(name, false);
                mark = next(before.value().replace("%s", "true"), true);
                next(value(form, call, name), false);
                ends.add(next(before.end(), true));
            }
            String first = ends.get(0);
            String end = ends.stream().allMatch(first::equals) ? first : first.stripTrailing();
            String last = ends.get(ends.size() - 1);
            return new Shape(open, Optional.of(new Members(key, before.value().contains("%s")
                    ? mark.replace("true", "%s") : mark, end, first.substring(end.length()) + separator,
                    before.quote())), last.substring(end.length()) + next(own.close(), false));
        }
    }
}
