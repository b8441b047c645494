package io.peft4j.train.internal.task;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.support.SimilarNames;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.ParameterGroup;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.internal.pass.FrozenStates;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.plan.AutoNumber;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What is trained, how and on what.
 *
 * @param model its active adapters are trained
 * @param objective what is minimized
 * @param options what is asked for; complete where a training runs
 * @param chosen what rules have chosen of it and why, in one line; empty where all was given
 * @param training the examples
 * @param validation those that the loss is measured on
 */
public record TrainingTask(PeftModel model, Objective<?> objective, TrainingOptions options, String chosen,
        TrainingSet training, Optional<TrainingSet> validation) {
    private TrainingTask with(TrainingOptions.Builder changed, String reasons) {
        return new TrainingTask(model, objective, changed.build(), reasons, training, validation);
    }

    /** The same with other options and examples, and no validation. */
    public TrainingTask with(TrainingOptions changed, TrainingSet examples) {
        return new TrainingTask(model, objective, changed, "", examples, Optional.empty());
    }

    /**
     * The same with complete options: those that the training began with, where it goes on, else what rules choose.
     *
     * @param begun what decided the course of the training that goes on
     */
    public TrainingTask complete(Optional<RunSettings> begun) {
        List<String> open = options.settings().entrySet().stream()
                .filter(each -> each.getValue().equals(AutoNumber.AUTO)).map(Map.Entry::getKey).toList();
        return open.isEmpty() ? this
                : begun.map(settings -> asBegun(open, settings.values())).orElseGet(this::asRulesChoose);
    }

    private TrainingTask asBegun(List<String> open, Map<String, String> settings) {
        TrainingOptions.Builder builder = options.toBuilder();
        open.forEach(name -> builder.option(name, settings.getOrDefault(name, "0")));
        return with(builder, "as the training began: " + open.stream()
                .map(name -> name.replace('_', ' ') + " " + settings.getOrDefault(name, "0"))
                .collect(Collectors.joining(", ")));
    }

    private TrainingTask asRulesChoose() {
        // An epoch of several objectives is one of the first.
        List<EncodedExample> counted = training.examples().stream().filter(example -> example.part() == 0).toList();
        HyperparameterRules rules = Hyperparameters.choosing(DataFacts.ofEncoded(
                counted.isEmpty() ? training.examples() : counted),
                model.network().description()).objective(objective)
                .updates(options.optimizer(), options.updateRule());
        model.activeAdapters().forEach(name -> rules.method(model.adapter(name).config()));
        options.epochs().ifPresent(rules::epochs);
        options.learnedShare().ifPresent(rules::learnedShare);
        options.batchSize().ifPresent(rules::batchSize);
        options.gradientAccumulation().ifPresent(rules::gradientAccumulation);
        options.learningRate().ifPresent(rules::learningRate);
        options.warmupSteps().ifPresent(rules::warmupSteps);
        if (options.maxSteps() > 0) {
            rules.mostUpdates(options.maxSteps());
        }
        try (ModelLease lease = model.lease()) {
            rules.firstLayer(FrozenStates.firstChanged(model.network(), lease.layers()));
        }
        Hyperparameters numbers = rules.choose();
        return with(options.toBuilder().hyperparameters(numbers), numbers.summary());
    }

    /**
     * The parameters that are trained.
     *
     * @throws ConfigurationException when there are none, or a group of parameters has none
     */
    public List<Parameter> parameters() {
        List<Parameter> parameters = model.trainableParameters().stream().filter(options.updateRule()::trains).toList();
        if (parameters.isEmpty()) {
            throw new ConfigurationException("there is nothing to train: no adapter is active, or the active ones have "
                    + "no trainable parameter");
        }
        List<String> names = parameters.stream().map(Parameter::name).toList();
        for (ParameterGroup group : options.parameterGroups()) {
            if (names.stream().noneMatch(group::holds)) {
                throw new ConfigurationException("the parameter group '" + group.pattern() + "' fits none of the "
                        + names.size() + " trained parameters; " + SimilarNames.sentence(group.pattern(), names));
            }
        }
        return parameters;
    }

    private Optional<ParameterGroup> group(Parameter parameter) {
        return options.parameterGroups().stream().filter(group -> group.holds(parameter.name())).findFirst();
    }

    /** What the learning rate of a parameter is multiplied by. */
    public double rateFactor(Parameter parameter) {
        double rate = options.learningRate().getAsDouble();
        return options.updateRule().rateFactor(parameter)
                * group(parameter).map(group -> group.learningRate().orElse(rate) / rate).orElse(1.0);
    }

    /** The weight decay of a parameter. */
    public double weightDecay(Parameter parameter) {
        return group(parameter).map(group -> group.weightDecay().orElse(options.weightDecay()))
                .orElse(options.weightDecay());
    }
}
