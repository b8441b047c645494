package io.peft4j.core.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a form finds where it reads calls. */
final class Calls {
    private static final Pattern NAME = Pattern.compile("(?U)[\\w.:/$\\-]+");

    final List<Item> items = new ArrayList<>();
    /** The name of a call that has begun and the text of its arguments so far. */
    Optional<String> openName = Optional.empty();
    String openArguments = "";
    private final List<Tool> tools;

    /**
     * A call that is complete.
     *
     * @param call nothing where it is wrong
     * @param json the text of its arguments as it is, if that is JSON
     * @param reason what is wrong
     */
    record Item(Optional<ToolCall> call, String json, int from, int to, String reason) {
    }

    /** @param tools those that may be called; any where there are none */
    Calls(List<Tool> tools) {
        this.tools = tools;
    }

    /** The tool of a name, one without parameters where it is not known. */
    Tool tool(String name) {
        return tools.stream().filter(tool -> tool.name().equals(name)).findFirst()
                .orElseGet(() -> new Tool(name, ToolForm.NODES.objectNode()));
    }

    /** A call has begun; it is sent only if its tool is known. */
    void open(String name, String arguments) {
        if (tools.isEmpty() || tools.stream().anyMatch(tool -> tool.name().equals(name))) {
            openName = Optional.of(name);
            openArguments = arguments;
        }
    }

    /** A call has begun whose arguments so far are these. */
    void open(String name, ObjectNode arguments) {
        String json = arguments.toString();
        open(name, json.substring(0, json.length() - 1));
    }

    /** A call is complete: between two places of the text. */
    void add(String name, JsonNode arguments, String json, int from, int to) {
        Optional<String> fault = fault(name, arguments);
        items.add(new Item(fault.isPresent() ? Optional.empty()
                : Optional.of(new ToolCall(name, (ObjectNode) arguments)), json, from, to, fault.orElse("")));
        openName = Optional.empty();
        openArguments = "";
    }

    /** What is between two places of the text is no call. */
    void wrong(int from, int to, String reason) {
        items.add(new Item(Optional.empty(), "", from, to, reason));
    }

    boolean isAnyGood() {
        return items.stream().anyMatch(item -> item.call().isPresent());
    }

    private Optional<String> fault(String name, JsonNode arguments) {
        List<String> names = tools.stream().map(Tool::name).toList();
        if (names.isEmpty() ? !NAME.matcher(name).matches() : name.isEmpty()) {
            return Optional.of("it names no tool");
        }
        if (!(arguments instanceof ObjectNode object)) {
            return Optional.of("its arguments are no JSON object");
        }
        return !names.isEmpty() && !names.contains(name) ? Optional.of("no tool is named '" + name + "'; there are "
                + names) : tool(name).fault(object);
    }
}
