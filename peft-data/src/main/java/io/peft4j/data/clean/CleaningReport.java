package io.peft4j.data.clean;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.RowFault;
import java.util.List;
import java.util.Locale;

/**
 * What a cleaning did.
 *
 * @param rows rows that were read, wrong ones included
 * @param kept examples that are left
 * @param rejectedRows rows that are not examples
 * @param format the format of the rows
 * @param rejected rows that are not examples, the first of them
 * @param steps what each step did, in their order
 * @param left what is wrong with labels and was not mended, because only people know which one is right
 */
@Internal(shared = true)
public record CleaningReport(long rows, long kept, long rejectedRows, DataFormat format, List<Rejected> rejected,
        List<StepReport> steps, List<String> left) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_REJECTED = 1000;

    /** Copies the lists. */
    public CleaningReport {
        rejected = List.copyOf(rejected);
        steps = List.copyOf(steps);
        left = List.copyOf(left);
    }

    /**
     * A row that is not an example.
     *
     * @param line its line
     * @param code what is wrong, a code of {@code peft4j data check}
     * @param message what is wrong, in words
     */
    public record Rejected(long line, String code, String message) {
        /** Adds the first fatal fault of a row to a list that does not grow without limit. */
        public static void add(List<Rejected> list, ExampleReader.Item item) {
            if (list.size() < MOST_REJECTED) {
                RowFault fault = item.row().faults().stream().filter(RowFault::fatal).findFirst().orElseThrow();
                list.add(new Rejected(item.row().line(), fault.code(), PiiDetector.standard().redact(fault.message())));
            }
        }
    }

    /** The report for machines: rows, kept, rejected rows, what each step changed and dropped, and what is left. */
    public ObjectNode toJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("format", format.name().toLowerCase(Locale.ROOT));
        json.put("rows", rows).put("kept", kept).put("rejected", rejectedRows);
        json.set("rejected_rows", JSON.valueToTree(rejected));
        ArrayNode list = json.putArray("steps");
        for (StepReport step : steps) {
            ObjectNode node = list.addObject();
            node.put("name", step.name()).put("changed", step.changed()).put("dropped", step.dropped());
            node.set("samples", JSON.valueToTree(step.samples()));
        }
        json.set("left", JSON.valueToTree(left));
        return json;
    }
}
