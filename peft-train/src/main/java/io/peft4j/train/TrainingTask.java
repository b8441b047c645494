package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.plan.AutoNumber;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
record TrainingTask(PeftModel model, Objective<?> objective, TrainingOptions options, String chosen,
        EncodedExamples training, Optional<EncodedExamples> validation) {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingTask.class);
    private static final int LISTED = 10;

    /**
     * What is asked for on these examples, of which those without anything to learn are left out.
     *
     * @param held what the loss is measured on; perhaps none
     * @throws ConfigurationException as {@link #checked} says
     */
    public static TrainingTask of(PeftModel model, Objective<?> objective, TrainingOptions options,
            EncodedExamples training, EncodedExamples held) {
        Objective<?> smoothed = options.labelSmoothing() == 0 ? objective
                : objective.withLabelSmoothing(options.labelSmoothing());
        EncodedExamples learned = checked(training, "training", model);
        Optional<EncodedExamples> measured = held.examples().isEmpty() ? Optional.empty()
                : Optional.of(checked(held, "validation", model));
        return new TrainingTask(model, smoothed, smoothed.keepsBest() && measured.isPresent()
                ? options.toBuilder().keepBest(true).build() : options, "", learned, measured);
    }

    /**
     * Checks examples, gives each a name with its number, and leaves out those without anything to learn.
     *
     * @param kind what they are for, in messages: training or validation
     * @param model what is trained
     * @throws ConfigurationException when a sequence is too long, has an unknown token, task or an invalid weight, or
     *     nothing can be learned
     */
    public static EncodedExamples checked(EncodedExamples given, String kind, PeftModel model) {
        List<EncodedExample> examples = given.examples();
        if (examples.isEmpty()) {
            throw new ConfigurationException("no " + kind + " examples given");
        }
        List<EncodedExample> supervised = new ArrayList<>();
        List<Integer> leftOut = new ArrayList<>();
        try (ModelLease lease = model.lease()) {
            TaskIds tasks = new TaskIds(lease.layers());
            for (int i = 0; i < examples.size(); i++) {
                EncodedExample example = examples.get(i);
                String name = kind + " example " + (i + 1) + (example.name().isEmpty() ? ""
                        : " (" + example.name() + ")");
                example.sequences().forEach(sequence -> {
                    check(sequence, name, lease.maxPositions(), model.network().description().vocabularySize());
                    tasks.require(sequence.task(), problem -> new ConfigurationException(name + " " + problem));
                });
                if (example.supervised() > 0) {
                    supervised.add(example.named(name));
                } else {
                    leftOut.add(i + 1);
                }
            }
        }
        if (supervised.isEmpty()) {
            throw new ConfigurationException("none of the " + examples.size() + " " + kind + " examples has "
                    + "supervised tokens, so there is no loss to train on; check the roles and weights of the "
                    + "messages and the "
                    + "chat template");
        }
        if (!leftOut.isEmpty()) {
            LOG.warn("left out, since without a supervised token: {} of {}: {}{}", leftOut.size(),
                    Count.of(examples.size(), kind + " example"), leftOut.subList(0, Math.min(LISTED, leftOut.size())),
                    leftOut.size() > LISTED ? " and others" : "");
        }
        return new EncodedExamples(supervised, given.leftOut() + leftOut.size());
    }

    private static void check(TokenSequence sequence, String name, int limit, int vocabulary) {
        if (sequence.length() > limit) {
            throw new ConfigurationException(name + " has " + sequence.length() + " tokens; the model's limit is "
                    + limit + ". Shorten it or leave it out");
        }
        IntStream.of(sequence.ids()).filter(id -> id < 0 || id >= vocabulary).findFirst().ifPresent(id -> {
            throw new ConfigurationException(name + " has the token " + id + "; the model's vocabulary is 0 to "
                    + (vocabulary - 1));
        });
        for (float weight : sequence.weights()) {
            if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
                throw new ConfigurationException(name + " has a token of weight " + weight
                        + "; a weight is 0 or more, and finite");
            }
        }
    }

    /** Says how many held-out examples are trained on as well: their loss is then no measure of the model. */
    public void warnOfShared() {
        Set<List<IntBuffer>> learned = new HashSet<>();
        training.examples().forEach(example -> learned.add(tokens(example)));
        List<EncodedExample> held = validation.map(EncodedExamples::examples).orElse(List.of());
        long shared = held.stream().filter(example -> learned.contains(tokens(example))).count();
        if (shared > 0) {
            LOG.warn("{} of {} validation examples also stand in the training data: their loss says what was learned "
                    + "by heart, not how good the model is. A data check with the validation data lists them", shared,
                    held.size());
        }
    }

    private static List<IntBuffer> tokens(EncodedExample example) {
        return example.sequences().stream().flatMap(sequence -> Stream.of(IntBuffer.wrap(sequence.ids()),
                IntBuffer.wrap(new int[] {sequence.task()}))).toList();
    }

    private TrainingTask with(TrainingOptions.Builder changed, String reasons) {
        return new TrainingTask(model, objective, changed.build(), reasons, training, validation);
    }

    /** The same with other options and examples, and no validation. */
    public TrainingTask with(TrainingOptions changed, EncodedExamples examples) {
        return new TrainingTask(model, objective, changed, "", examples, Optional.empty());
    }

    /**
     * The same with complete options: those that the training began with, if it is resumed, else what rules choose.
     *
     * @param begun what decided the course of the training that is resumed
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

    /** What is worth keeping of frozen layers when examples come again; a worker of several sees single examples. */
    public FrozenStates frozenStates(boolean alone) {
        if (options.epochs().getAsInt() == 1 || options.neftuneAlpha() > 0) {
            return FrozenStates.none();
        }
        List<TokenSequence> all = new ArrayList<>(EncodedExample.sequences(training.examples()));
        validation.ifPresent(held -> all.addAll(EncodedExample.sequences(held.examples())));
        return FrozenStates.of(model.network().description(), all, alone ? options.batchSize().getAsInt() : 1);
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
