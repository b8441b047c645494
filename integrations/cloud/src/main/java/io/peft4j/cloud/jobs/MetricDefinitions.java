package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.peft4j.core.Internal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The metrics of a training in its log, for SageMaker's {@code MetricDefinitions}: by name a regular expression whose
 * one group is the value. They fit the lines {@code step=12 epoch=0.25 train_loss=0.431 ...} that a container prints.
 */
@Internal(shared = true)
public final class MetricDefinitions {
    private static final String NUMBER = "([-+0-9.eE]+)";
    private static final Map<String, String> ALL = all();

    private MetricDefinitions() {
    }

    private static Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("step", "^step=([0-9]+) ");
        all.put("epoch", " epoch=" + NUMBER);
        all.put("train:loss", " train_loss=" + NUMBER);
        all.put("validation:loss", " eval_loss=" + NUMBER);
        all.put("train:learning_rate", " learning_rate=" + NUMBER);
        all.put("train:grad_norm", " grad_norm=" + NUMBER);
        all.put("train:tokens_per_s", " tokens_per_s=" + NUMBER);
        return Collections.unmodifiableMap(all);
    }

    /** The regular expressions by name. */
    public static Map<String, String> regexes() {
        return ALL;
    }

    /** The list as SageMaker's API takes it: {@code [{"Name": ..., "Regex": ...}, ...]}. */
    public static String json() {
        ArrayNode list = new ObjectMapper().createArrayNode();
        ALL.forEach((name, regex) -> list.addObject().put("Name", name).put("Regex", regex));
        return list.toPrettyString();
    }
}
