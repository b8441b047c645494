package io.peft4j.cli;

import io.peft4j.advise.FineTuningAdvisor;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.plan.Hyperparameters;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Trains as rules choose, where time is short with fewer layers or epochs, and knows what was left out for that. */
final class AdviceTraining implements FineTuningAdvisor.Training {
    private final TrainingCommand command;
    private final BaseModel base;
    private final AdapterOptions.Choice adapter;
    private final TrainingData all;
    private final Map<LanguageModel, Double> shares = new IdentityHashMap<>();
    private double tokensPerSecond;

    /**
     * Trainings.
     *
     * @param command says what is not left to the rules
     * @param all the data that some examples of are trained on
     */
    AdviceTraining(TrainingCommand command, BaseModel base, AdapterOptions.Choice adapter, TrainingData all) {
        this.command = command;
        this.base = base;
        this.adapter = adapter;
        this.all = all;
    }

    @Override
    public LanguageModel train(ChatDataset examples, Optional<Duration> limit) {
        return trainRows(examples.examples(), limit);
    }

    @Override
    public PeftModel trainRows(List<?> rows, Optional<Duration> limit) {
        TrainingData examples = all.with(rows);
        Hyperparameters whole = command.rules(base, examples, adapter).choose();
        Hyperparameters chosen = limit.isPresent() && tokensPerSecond > 0
                ? command.rules(base, examples, adapter).timeBudget(limit.get(), tokensPerSecond).choose() : whole;
        PeftModel tuned = command.tuned(base, examples, adapter.with(Optional.of(chosen)));
        try {
            TrainerBuilder trainer = command.unbounded(tuned).hyperparameters(chosen);
            limit.ifPresent(trainer::timeBudget);
            TrainingResult result = examples.train(trainer, tuned);
            tokensPerSecond = result.tokensPerSecond();
            int layers = base.network().description().layers();
            boolean learned = result.learned().filter(each -> each.reason().isByItself()).isPresent();
            shares.put(tuned, (learned ? 1 : (double) chosen.epochs() / whole.epochs() * result.steps().size()
                    / chosen.updates()) * (layers - chosen.firstLayer()) / (layers - whole.firstLayer()));
            command.console().say("            %s", result);
            return tuned;
        } catch (RuntimeException e) {
            tuned.close();
            throw e;
        }
    }

    @Override
    public double share(LanguageModel model) {
        return shares.getOrDefault(model, 1.0);
    }
}
