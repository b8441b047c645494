package io.peft4j.serve.job.internal;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.util.Optional;

/**
 * How models are tuned here, by a job or by a rescue: what OpenAI calls {@code auto} is left to the rules, a multiplier
 * is one of the learning rate that they choose, and preferences, which move a model that can answer already, take a
 * {@value #PREFERENCE_SHARE}th of it.
 */
public final class Tuning {
    private static final int PREFERENCE_SHARE = 5;

    private Tuning() {
    }

    /** What the rules choose around what was asked for. */
    public static Hyperparameters choose(DataFacts data, ModelDescription model, Optional<Integer> epochs,
            Optional<Integer> batchSize, Optional<Double> learningRateMultiplier) {
        HyperparameterRules rules = Hyperparameters.choosing(data, model);
        epochs.ifPresent(rules::epochs);
        batchSize.ifPresent(rules::batchSize);
        learningRateMultiplier.ifPresent(rules::learningRateMultiplier);
        return rules.choose();
    }

    /** The highest learning rate. */
    public static double learningRate(Hyperparameters chosen, boolean preferences) {
        return preferences ? chosen.learningRate() / PREFERENCE_SHARE : chosen.learningRate();
    }

    /** The adapter: LoRA on all linear layers, with alpha twice the rank. */
    public static LoraConfig adapter(int rank) {
        return LoraConfig.builder().rank(rank).alpha(2 * rank).targetModules(TargetModules.ALL_LINEAR).build();
    }
}
