package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the configuration of every method holds.
 *
 * @param taskType {@code task_type}: what the model is for; default {@code CAUSAL_LM}
 * @param baseModel {@code base_model_name_or_path}: the model that the adapter was made for; filled in when an adapter
 *     is made
 * @param revision {@code revision}: the version of the base model; the hub's commit where an adapter is made for a
 *     model of the hub, else none
 * @param inferenceMode {@code inference_mode}: has no effect here (what is trained is the trainer's choice); written as
 *     true into every saved adapter, as Hugging Face PEFT does
 * @param peftVersion {@code peft_version}: the version of PEFT whose files this one looks like; default
 *     {@value #FORMAT_VERSION}
 * @param otherKeys keys of the file that the method has no field for, each with its value as JSON text; written back
 */
@With
public record CommonConfig(Optional<String> taskType, Optional<String> baseModel, Optional<String> revision,
        boolean inferenceMode, String peftVersion, Map<String, String> otherKeys) implements CommonConfigWith {
    /** The version of Hugging Face PEFT whose file format is written. */
    public static final String FORMAT_VERSION = "0.21.2";
    /** The tasks that Hugging Face PEFT knows. */
    public static final List<String> TASK_TYPES = List.of("CAUSAL_LM", "SEQ_CLS", "SEQ_2_SEQ_LM", "TOKEN_CLS",
            "QUESTION_ANS", "FEATURE_EXTRACTION");

    /**
     * Copies the map and checks the task.
     *
     * @throws ConfigurationException when Hugging Face PEFT does not know the task
     */
    public CommonConfig {
        otherKeys = Collections.unmodifiableMap(new LinkedHashMap<>(otherKeys));
        if (taskType.isPresent() && !TASK_TYPES.contains(taskType.get())) {
            throw new ConfigurationException("task_type is '" + taskType.get() + "'; it must be one of " + TASK_TYPES);
        }
    }

    /** The defaults of a new adapter. */
    public static CommonConfig defaults() {
        return new CommonConfig(Optional.of("CAUSAL_LM"), Optional.empty(), Optional.empty(), false, FORMAT_VERSION,
                Map.of());
    }
}
