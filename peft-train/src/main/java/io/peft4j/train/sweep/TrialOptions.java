package io.peft4j.train.sweep;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the values of a trial change: options of the training, by the names that the command line has, with underscores;
 * {@code rank}, {@code alpha}, {@code dropout} and {@code target_modules} where the method has them; and any key of the
 * adapter's configuration.
 */
final class TrialOptions {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SEED = "seed";
    private static final Set<String> TRAINING = TrainingOptions.names();

    private final TrialSetup setup;
    private final ObjectNode json;
    private final Map<String, String> keys = new LinkedHashMap<>();

    /** Options that change a configuration and a training. */
    TrialOptions(TrialSetup setup) {
        this.setup = setup;
        PeftConfig config = setup.config();
        try {
            this.json = (ObjectNode) JSON.readTree(config.toJson());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
        json.fieldNames().forEachRemaining(key -> keys.put(key, key));
        PeftMethod method = PeftMethods.byType(config.peftType());
        method.optionKeys().forEach((option, key) -> keys.put(option.replace('-', '_'), key));
        // What a configuration says about itself is not for a trial to change.
        keys.remove("peft_type");
    }

    Set<String> names() {
        Set<String> names = new TreeSet<>(TRAINING);
        names.addAll(keys.keySet());
        return names;
    }

    /**
     * Refuses an option that does not exist.
     *
     * @param more names that a trial is set up by
     * @throws ConfigurationException with the nearest that do
     */
    void requireName(String name, Set<String> more) {
        Set<String> names = names();
        names.addAll(more);
        if (!names.contains(name)) {
            throw new ConfigurationException("the space of the sweep has the unknown option \"" + name + "\"; "
                    + SimilarNames.sentence(name, names));
        }
    }

    /** A training without an output folder, with its options. */
    TrainerBuilder trainer(PeftModel model, Map<String, JsonNode> values) {
        TrainerBuilder builder = setup.trainer().apply(model);
        // Seeds of order and of first values are the same option.
        values.forEach((name, value) -> {
            if (TRAINING.contains(name)) {
                named(name, value, () -> builder.option(name, value.asText()));
            }
        });
        return builder;
    }

    /** The configuration of a trial's adapter. */
    PeftConfig config(Map<String, JsonNode> values) {
        ObjectNode changed = json.deepCopy();
        boolean any = false;
        for (Map.Entry<String, JsonNode> value : values.entrySet()) {
            if (!TRAINING.contains(value.getKey())) {
                requireName(value.getKey(), Set.of());
                changed.set(keys.get(value.getKey()), value.getValue());
                any = true;
            }
        }
        return any ? PeftMethods.readConfig(changed.toString(), "a trial of the sweep") : setup.config();
    }

    static long seed(Map<String, JsonNode> values, long fallback) {
        return values.containsKey(SEED) ? values.get(SEED).asLong() : fallback;
    }

    private static void named(String name, JsonNode value, Runnable action) {
        try {
            action.run();
        } catch (ConfigurationException e) {
            throw new ConfigurationException("the space of the sweep: \"" + name + "\": " + value + ": "
                    + e.getMessage(), e);
        }
    }
}
