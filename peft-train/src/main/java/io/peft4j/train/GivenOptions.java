package io.peft4j.train;

import io.peft4j.core.model.ModelLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The numbers of a training as far as somebody gives them. Rules choose the others, when the examples are known.
 *
 * @param epochs passes over the data
 * @param batchSize examples a forward pass
 * @param gradientAccumulation forward passes an update; where rules choose the batch size, they choose it, too, else 1
 * @param learningRate the highest learning rate
 * @param warmupSteps updates over which it rises; where rules choose the rate, they choose this, too, else 0
 * @param others all other numbers; those above stand for what is not given
 */
record GivenOptions(OptionalInt epochs, OptionalInt batchSize, OptionalInt gradientAccumulation,
        OptionalDouble learningRate, OptionalInt warmupSteps, TrainingOptions others) {
    private static final String AUTO = "auto";
    private static final String EPOCHS = "epochs";
    private static final String BATCH_SIZE = "batch_size";
    private static final String ACCUMULATION = "gradient_accumulation";
    private static final String LEARNING_RATE = "learning_rate";
    private static final String WARMUP = "warmup_steps";

    /**
     * Complete numbers.
     *
     * @param options the numbers
     * @param reasons what was chosen and why, in one line; empty where all was given
     */
    record Chosen(TrainingOptions options, String reasons) {
    }

    private boolean isBatchGiven() {
        return batchSize.isPresent() || others.packTokens() > 0;
    }

    private boolean isComplete() {
        return epochs.isPresent() && isBatchGiven() && learningRate.isPresent();
    }

    /** The numbers as they are where a training began with them. */
    Chosen asBegun(Map<String, String> settings) {
        if (isComplete()) {
            return new Chosen(others, "");
        }
        Map<String, String> chosen = new LinkedHashMap<>(settings);
        chosen.keySet().retainAll(settings().entrySet().stream().filter(each -> each.getValue().equals(AUTO))
                .map(Map.Entry::getKey).toList());
        return new Chosen(with(value(settings, EPOCHS), value(settings, BATCH_SIZE), value(settings, ACCUMULATION),
                Double.parseDouble(settings.getOrDefault(LEARNING_RATE, "0")), value(settings, WARMUP)),
                "as the training began: " + chosen.entrySet().stream().map(each -> each.getKey().replace('_', ' ') + " "
                        + each.getValue()).reduce((a, b) -> a + ", " + b).orElse(""));
    }

    private static int value(Map<String, String> settings, String name) {
        return Integer.parseInt(settings.getOrDefault(name, "0"));
    }

    /** The numbers for examples, chosen by rules where they are not given. */
    Chosen chosenFor(PeftModel model, Objective<?> objective, List<EncodedExample> examples, LearningOptions learning,
            UpdateRule rule, TrainingControl control) {
        // An epoch of several objectives is one of the first.
        List<EncodedExample> counted = examples.stream().filter(example -> example.part() == 0).toList();
        if (isComplete() || counted.isEmpty()) {
            return new Chosen(others, "");
        }
        HyperparameterRules rules = Hyperparameters.choosing(DataFacts.ofEncoded(counted),
                model.network().description()).objective(objective).updates(learning.optimizer(), rule);
        model.activeAdapters().forEach(name -> rules.method(model.adapter(name).config()));
        epochs.ifPresent(rules::epochs);
        learningRate.ifPresent(rules::learningRate);
        warmupSteps.ifPresent(rules::warmupSteps);
        gradientAccumulation.ifPresent(rules::gradientAccumulation);
        if (isBatchGiven()) {
            rules.batchSize(others.batchSize());
        }
        if (control.maxSteps() > 0) {
            rules.mostUpdates(control.maxSteps());
        }
        try (ModelLease lease = model.lease()) {
            rules.firstLayer(FrozenStates.firstChanged(model.network(), lease.layers()));
        }
        Hyperparameters chosen = rules.choose();
        return new Chosen(with(chosen.epochs(), chosen.batchSize(), chosen.gradientAccumulation(),
                chosen.learningRate(), chosen.warmupSteps()), chosen.summary());
    }

    /** What is given, and these numbers where nothing is. */
    private TrainingOptions with(int someEpochs, int someBatch, int someAccumulation, double someRate,
            int someWarmup) {
        return new TrainingOptions(epochs.orElse(someEpochs), isBatchGiven() ? others.batchSize() : someBatch,
                gradientAccumulation.orElse(isBatchGiven() ? 1 : someAccumulation), learningRate.orElse(someRate),
                others.schedule(), warmupSteps.orElse(learningRate.isPresent() ? 0 : someWarmup),
                others.weightDecay(), others.maxGradNorm(), others.seed(), others.shuffle(), others.sharePrefixes(),
                others.packing(), others.packTokens(), others.recompute());
    }

    /** Those that decide the course of a training, by name; {@code auto} for what rules choose. */
    Map<String, String> settings() {
        Map<String, String> values = new LinkedHashMap<>(others.deciding());
        if (epochs.isEmpty()) {
            values.put(EPOCHS, AUTO);
        }
        if (!isBatchGiven()) {
            values.put(BATCH_SIZE, AUTO);
            if (gradientAccumulation.isEmpty()) {
                values.put(ACCUMULATION, AUTO);
            }
        }
        if (learningRate.isEmpty()) {
            values.put(LEARNING_RATE, AUTO);
            if (warmupSteps.isEmpty()) {
                values.put(WARMUP, AUTO);
            }
        }
        return values;
    }
}
