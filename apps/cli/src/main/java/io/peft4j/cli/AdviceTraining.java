package io.peft4j.cli;

import io.peft4j.advise.FineTuningAdvisor;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Trains as rules choose, where time is short with fewer layers or epochs, and knows what was left out for that. */
final class AdviceTraining implements FineTuningAdvisor.Training {
    private final BaseModel base;
    private final AdapterOptions.Choice adapter;
    private final Consumer<HyperparameterRules> given;
    private final long seed;
    private final Console console;
    private final Map<LanguageModel, Double> shares = new IdentityHashMap<>();
    private double tokensPerSecond;

    /** @param given what is not left to the rules */
    AdviceTraining(BaseModel base, AdapterOptions.Choice adapter, Consumer<HyperparameterRules> given, long seed,
            Console console) {
        this.base = base;
        this.adapter = adapter;
        this.given = given;
        this.seed = seed;
        this.console = console;
    }

    @Override
    public LanguageModel train(ChatDataset examples, Optional<Duration> limit) {
        DataFacts facts = DataFacts.of(examples, base);
        Hyperparameters whole = rules(facts).choose();
        Hyperparameters chosen = limit.isPresent() && tokensPerSecond > 0
                ? rules(facts).timeBudget(limit.get(), tokensPerSecond).choose() : whole;
        PeftModel tuned = adapter.with(Optional.of(chosen)).on(base, seed,
                () -> Trainer.calibration(base, examples, chosen.batchSize(), 1));
        try {
            TrainerBuilder trainer = Trainer.builder(tuned).hyperparameters(chosen).seed(seed);
            limit.ifPresent(trainer::timeBudget);
            TrainingResult result = trainer.build().train(examples);
            tokensPerSecond = result.tokensPerSecond();
            int layers = base.network().description().layers();
            shares.put(tuned, (double) chosen.epochs() / whole.epochs() * result.steps().size() / chosen.updates()
                    * (layers - chosen.firstLayer()) / (layers - whole.firstLayer()));
            console.say("            %s", result);
            return tuned;
        } catch (RuntimeException e) {
            tuned.close();
            throw e;
        }
    }

    private HyperparameterRules rules(DataFacts facts) {
        HyperparameterRules rules = Hyperparameters.choosing(facts, base.network().description());
        given.accept(rules);
        return rules;
    }

    @Override
    public double share(LanguageModel model) {
        return shares.getOrDefault(model, 1.0);
    }
}
