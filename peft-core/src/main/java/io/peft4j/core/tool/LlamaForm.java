package io.peft4j.core.tool;

import java.util.List;

/**
 * {@code {"name": ..., "parameters": {...}}} without marks, as Llama 3 writes calls. Since these models also write
 * {@code <function=name>{...}</function>} and {@code [name(key="value")]}, both are read, too.
 */
public final class LlamaForm extends JsonForms.Json {
    private final ToolForm function = new NamedForms.Function();
    private final ToolForm python = new PythonForms.Bare();

    /** The form. */
    public LlamaForm() {
        super("llama", new Layout("", "", "", "; ", ""),
                Marks.of("<|python_tag|>", "<|python_start|>", "<function=", "{", "[")
                        .withBare("<|python_tag|>", "<|python_start|>", "<function=").withNoise("<|python_end|>")
                        .withHints());
    }

    @Override
    List<String> keys() {
        return List.of("name", "parameters");
    }

    @Override
    void read(Cursor cursor, Calls calls) {
        int start = cursor.at;
        if (cursor.skip("<|python_tag|>") || cursor.skip("<|python_start|>")) {
            cursor.space();
        }
        String rest = cursor.text.substring(cursor.at);
        if (rest.startsWith("<function=")) {
            function.read(cursor, calls);
        } else if (rest.matches("(?s)\\[\\s*([A-Za-z_].*)?")) {
            cursor.at = start;
            python.read(cursor, calls);
        } else {
            super.read(cursor, calls);
        }
    }
}
