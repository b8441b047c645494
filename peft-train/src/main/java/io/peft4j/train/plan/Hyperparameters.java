package io.peft4j.train.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Numbers of a training that are chosen by rules, each with its reason:
 *
 * <pre>{@code
 * Hyperparameters chosen = Hyperparameters.auto(DataFacts.of(examples, base), base.network().description());
 * chosen.reasons().forEach((name, reason) -> System.out.println(name + " " + reason));
 * // batch_size 8: 176 rows allow some 150 updates with it ...
 * }</pre>
 *
 * <p>The rules begin with what is best for LoRA on chat data, and change that by what methods, objectives and
 * optimizers say of themselves; {@link HyperparameterRules} states them. They look at nothing but what they are given,
 * so the same data on the same model gives the same choice, however fast or busy a machine is.
 *
 * @param batchSize examples a forward pass
 * @param gradientAccumulation forward passes an update
 * @param epochs passes over the data, the most there are where the learned share is above 0
 * @param learnedShare the share of the rows that is to be learned before the training ends; 0 where the epochs decide
 * @param learningRate the highest learning rate
 * @param warmupSteps updates over which it rises
 * @param rank rank of the adapter; alpha is twice as much
 * @param firstLayer the first decoder layer, counted from 0, that gets an adapter
 * @param updates updates in all, the most there are where the learned share is above 0
 * @param reasons why, by name: {@code batch_size}, {@code gradient_accumulation}, {@code epochs},
 *     {@code learning_rate}, {@code warmup_steps}, {@code rank}, {@code layers}; a sentence without its end, which
 *     begins with the value
 */
public record Hyperparameters(int batchSize, int gradientAccumulation, int epochs, double learnedShare,
        double learningRate, int warmupSteps, int rank, int firstLayer, long updates, Map<String, String> reasons) {
    /** Copies the map in its order. */
    public Hyperparameters {
        reasons = Collections.unmodifiableMap(new LinkedHashMap<>(reasons));
    }

    /** All by the rules, with the memory that this process may use and no limit of time. */
    @Internal
    public static Hyperparameters auto(DataFacts data, ModelDescription model) {
        return choosing(data, model).choose();
    }

    /** The rules, of which some values may be given. */
    @Internal
    public static HyperparameterRules choosing(DataFacts data, ModelDescription model) {
        return new HyperparameterRules(data, model);
    }

    /** What was chosen for the training and not given, with the reasons, in one line; empty where all is given. */
    public String summary() {
        return reasons.entrySet().stream().filter(each -> !each.getValue().contains(": given"))
                .filter(each -> !each.getKey().equals("rank") && !each.getKey().equals("layers"))
                .map(each -> each.getKey().replace('_', ' ') + " " + each.getValue().replaceFirst(": (.*)", " ($1)"))
                .collect(Collectors.joining(", "));
    }

    /**
     * A configuration with the rank and the alpha that were chosen.
     *
     * @param withAlpha whether alpha is set as well, where the method has one
     * @throws ConfigurationException when the method has no rank
     */
    public PeftConfig ranked(PeftConfig config, boolean withAlpha) {
        PeftMethod method = PeftMethods.byType(config.peftType());
        Map<String, String> keys = method.optionKeys();
        if (!keys.containsKey("rank")) {
            throw new ConfigurationException("the method " + method.name() + " has no rank that could be auto");
        }
        try {
            ObjectNode changed = ((ObjectNode) new ObjectMapper().readTree(config.toJson())).put(keys.get("rank"),
                    rank);
            if (withAlpha && keys.containsKey("alpha")) {
                changed.put(keys.get("alpha"), alpha());
            }
            return PeftMethods.readConfig(changed.toString(), "the configuration of " + method.name());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
    }

    /** Alpha of the adapter: twice the rank, so that the scaling is the same for all ranks. */
    public int alpha() {
        return 2 * rank;
    }
}
