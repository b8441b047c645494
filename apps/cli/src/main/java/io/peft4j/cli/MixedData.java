package io.peft4j.cli;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.models.BaseModel;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.plan.HyperparameterRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Examples for several objectives at once.
 *
 * @param parts the examples of each
 * @param weights what the loss of each counts
 */
record MixedData(List<TrainingData> parts, List<Double> weights) implements TrainingData {
    /** All of them predict tokens. */
    @Override
    public Optional<Task> task(ModelSource source) {
        return Optional.empty();
    }

    @Override
    public TrainingResult train(TrainerBuilder trainer, PeftModel model) {
        return mixed(model, List.of(), mix -> trainer.build().train(mix));
    }

    @Override
    public TrainingEstimate estimate(TrainerBuilder trainer, PeftModel model) {
        return mixed(model, List.of(), mix -> trainer.build().estimate(mix, mix.examples(), mix.held()));
    }

    @Override
    public <T> T part(PeftModel model, double weight, Function<MixedObjective.Part<?>, T> use) {
        throw new IllegalStateException("a mix is no part of another");
    }

    private <T> T mixed(PeftModel model, List<MixedObjective.Part<?>> known, Function<MixedObjective, T> use) {
        if (known.size() == parts.size()) {
            return use.apply(new MixedObjective(known));
        }
        return parts.get(known.size()).part(model, weights.get(known.size()), part -> {
            List<MixedObjective.Part<?>> more = new ArrayList<>(known);
            more.add(part);
            return mixed(model, more, use);
        });
    }

    @Override
    public HyperparameterRules rules(BaseModel base) {
        return parts.get(0).rules(base);
    }

    @Override
    public CalibrationBatches calibration(BaseModel base, int batchSize, int mostBatches) {
        return parts.get(0).calibration(base, batchSize, mostBatches);
    }
}
