package io.peft4j.serve.job;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.util.Optional;

/**
 * How models are tuned here, by a job or by a rescue: what OpenAI calls {@code auto} is left to the rules, and a
 * multiplier is one of the learning rate that they choose.
 */
public final class Tuning {
    private Tuning() {
    }

    /**
     * What the rules choose around what was asked for.
     *
     * @param objective what is learned, where not answers
     */
    public static Hyperparameters choose(DataFacts data, LanguageModel model, Optional<Objective<?>> objective,
            Optional<Integer> epochs, Optional<Integer> batchSize, Optional<Double> learningRateMultiplier) {
        HyperparameterRules rules = Hyperparameters.choosing(data, model.network().description());
        objective.ifPresent(rules::objective);
        epochs.ifPresent(rules::epochs);
        batchSize.ifPresent(rules::batchSize);
        learningRateMultiplier.ifPresent(rules::learningRateMultiplier);
        return rules.choose();
    }

    /** The adapter: LoRA on all linear layers, with alpha twice the rank. */
    public static LoraConfig adapter(int rank) {
        return LoraConfig.builder().rank(rank).alpha(2 * rank).targetModules(TargetModules.ALL_LINEAR).build();
    }
}
