package io.peft4j.data.format;

import io.peft4j.data.example.Example;
import java.util.Map;
import java.util.Optional;

/** How an example looks as an object with keys. */
interface RowFormat {
    /** Whether a row looks like this. */
    boolean recognizes(Map<String, Object> fields);

    /** The example of a row; empty when there was a fatal fault, of which {@code faults} was told. */
    Optional<Example> read(JsonLines.Row row, MessageReader messages, Faults faults);

    /**
     * The row of an example; empty where this format cannot hold it.
     *
     * @param example the example
     */
    Optional<Map<String, Object>> write(Example example);
}
