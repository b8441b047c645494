package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.objective.Keeping;
import io.peft4j.train.objective.KeepingOptions;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What commands share that train, or say what a training would be: the options of {@code peft4j train}. How it learns
 * is declared by {@link TrainingOptions} and added by {@link RegisteredOptions}.
 */
@HelpGroup(HelpGroup.TRAINING)
abstract class TrainingCommand extends PeftCommand {
    /** The most batches that first values are computed from. */
    private static final int CALIBRATION_BATCHES = 32;
    private static final int CALIBRATION_SIZE = 8;
    private static final String SELF = "self";

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    String model;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "Training data: {\"messages\": [...]} a line, or as --objective says, or a document "
                    + "in PDF, DOCX, Markdown or HTML or a folder of these and XLSX, of which questions are made; - is "
                    + "the standard input.")
    Path data;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--validation", paramLabel = "FILE",
            description = "Validation data, whose loss is measured before training and after each epoch.")
    Path validation;

    @Mixin
    DataInput input;

    @Mixin
    AdapterOptions adapter;

    @Mixin
    OptimizerOptions updates;

    @Mixin
    ObjectiveOptions objective;

    @Option(names = "--remember", description = "Learns without forgetting: mixes general examples in, three for each "
            + "five rows, at most 104 to a thousand. For --objective sft on a model with a chat template.")
    private boolean remember;

    @Option(names = "--remember-by", paramLabel = "written|self", description = "Whose answers general examples have: "
            + "those written for them, or the base's own, which it is asked for before. Default: written")
    private String rememberBy;

    @Mixin
    private KeepOptions keep;

    private Optional<Keeping> answered = Optional.empty();
    private Optional<ChatDataset.Split> documents = Optional.empty();

    @Mixin
    EngineOptions engine;

    /**
     * Checks the options that depend on each other, before anything is read.
     *
     * @param own names of options of objectives that the command gives another meaning
     */
    final void checkTraining(String... own) {
        TrainingOptions asked = asked();
        updates.check(this);
        if (asked.packTokens() > 0 && isGiven("--batch-size")) {
            throw usage("--pack-tokens replaces --batch-size; they are mutually exclusive");
        }
        objective.check(this, asked, own);
        keep.check(this);
        if (rememberBy != null && !remember) {
            throw usage("--remember-by has no effect without --remember");
        }
        if (rememberBy != null && !List.of("written", SELF).contains(rememberBy)) {
            throw usage("--remember-by is " + rememberBy + "; it must be written or self");
        }
    }

    /** Asks the base once for what several trainings keep. */
    final void askOnce(BaseModel base) {
        answered = keep.keeping(input).map(what -> what.answeredBy(base));
    }

    /** The examples that the options name; of documents without the wordings that are held out. */
    final TrainingData examples() {
        TrainingData read = objective.read(asked(), input, data, Optional.ofNullable(validation),
                name -> engine.load(name, console()));
        documents = read.chats().filter(chats -> DataFiles.isDocument(data) && chats.stream()
                .anyMatch(row -> row.extra().containsKey(HandbookSections.HEADING)))
                .map(chats -> validation == null ? chats
                        .splitWordings(asked().seed()) : new ChatDataset.Split(chats, ChatDataset.of(List.of())));
        if (documents.isPresent()) {
            List<ChatExample> learned = documents.get().train().examples();
            read = read.with(IntStream.range(0, learned.size())
                    .mapToObj(i -> learned.get(i).at(new Origin("the rows of " + data, i + 1))).toList());
        }
        return remember ? read.remembering() : read;
    }

    /** The rows made of documents, if any: those that are learned, numbered in this order, and those held out. */
    final Optional<ChatDataset.Split> documents() {
        return documents;
    }

    /** The examples as they are learned on a base, which answers the general ones where that is asked for. */
    final TrainingData on(BaseModel base, TrainingData examples) {
        return SELF.equals(rememberBy) ? examples.answeredBy(base) : examples;
    }

    /** The base with the adapter to be trained. */
    final PeftModel tuned(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        return choice.on(base, asked().seed(), () -> examples.calibration(base, asked().batchSize()
                .orElse(CALIBRATION_SIZE), CALIBRATION_BATCHES));
    }

    /**
     * What rules choose before there is an adapter: its rank and layers where these are {@code auto}, and what a time
     * budget has room for. All else is chosen by the trainer.
     */
    final Optional<Hyperparameters> chosen(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        Optional<Duration> budget = budget();
        if (budget.isEmpty() && !adapter.isAuto()) {
            return Optional.empty();
        }
        HyperparameterRules rules = rules(base, examples, choice);
        budget.ifPresent(time -> rules.timeBudget(time, speed(base, examples, choice.with(Optional.of(
                rules.choose())))));
        return Optional.of(rules.choose());
    }

    /** The rules around what is given. */
    final HyperparameterRules rules(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        HyperparameterRules rules = examples.rules(base);
        choice.config(base).ifPresent(rules::method);
        TrainingOptions asked = asked();
        asked.epochs().ifPresent(rules::epochs);
        asked.learnedShare().ifPresent(rules::learnedShare);
        asked.learningRate().ifPresent(rules::learningRate);
        // What only goes with others that are given is left to the rules.
        if (isGiven("--batch-size")) {
            asked.batchSize().ifPresent(rules::batchSize);
        }
        if (isGiven("--gradient-accumulation")) {
            asked.gradientAccumulation().ifPresent(rules::gradientAccumulation);
        }
        if (isGiven("--warmup-steps")) {
            asked.warmupSteps().ifPresent(rules::warmupSteps);
        }
        adapter.addTo(rules);
        return rules;
    }

    /** The time that everything may take. */
    final Optional<Duration> timeBudget() {
        return asked().timeBudget();
    }

    /** A trainer that nothing ends early. */
    final TrainerBuilder unbounded(PeftModel tuned) {
        return trainer(tuned, untilTheEnd());
    }

    /** The time that the choice of epochs or layers has to keep within. */
    private Optional<Duration> budget() {
        return timeBudget().filter(time -> asked().epochs().isEmpty() || adapter.isAuto());
    }

    /** Tokens a second, from a probe of what would be trained if there were time. */
    private double speed(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        try (PeftModel tuned = tuned(base, examples, choice)) {
            return examples.estimate(trainer(tuned, untilTheEnd()), tuned).tokensPerSecond();
        }
    }

    /** Says what rules have chosen before there was an adapter, and why. */
    final void sayChosen(Console console, Optional<Hyperparameters> chosen) {
        List<String> names = budget().isPresent() ? List.of("rank", "layers", "epochs") : List.of("rank", "layers");
        chosen.map(Hyperparameters::reasons)
                .ifPresent(reasons -> names.forEach(name -> console.say("auto:       %s %s", name, reasons.get(name))));
    }

    /** What a training is asked for, but for what is known with its adapter. */
    final TrainingOptions asked() {
        return fromOptions(() -> {
            TrainingOptions.Builder options = given(option -> true);
            return options.build().patience() > 0 ? options.keepBest(true).build() : options.build();
        });
    }

    /** The same for a training that nothing ends early. */
    private TrainingOptions untilTheEnd() {
        return given(option -> !option.group().equals(TrainingOptions.END)).build();
    }

    private TrainingOptions.Builder given(Predicate<TrainingOptions.Declared> which) {
        TrainingOptions.Builder options = TrainingOptions.builder();
        TrainingOptions.declared().stream().filter(which).forEach(option -> RegisteredOptions.given(spec(), option)
                .forEach(word -> {
                    try {
                        options.option(option.name(), word);
                    } catch (ConfigurationException e) {
                        throw usage((e.getMessage().startsWith("must be") ? "--" + option.name() + " " : "")
                                + e.getMessage());
                    }
                }));
        return options;
    }

    /** A trainer without an output folder; it chooses what is neither given nor follows from a time budget. */
    final TrainerBuilder builder(PeftModel tuned, Optional<Hyperparameters> chosen) {
        TrainerBuilder builder = trainer(tuned, asked());
        chosen.filter(values -> budget().isPresent() && asked().epochs().isEmpty())
                .ifPresent(values -> builder.epochs(values.epochs()).learnedShare(values.learnedShare()));
        return builder;
    }

    private TrainerBuilder trainer(PeftModel tuned, TrainingOptions options) {
        TrainerBuilder trainer = Trainer.builder(tuned).options(options).updateRule(updates.rule(tuned))
                .logProgress(false);
        answered.or(() -> keep.keeping(input)).ifPresent(trainer::keeping);
        return trainer;
    }

    /** What a training keeps of what the base model says. */
    @HelpGroup(HelpGroup.TRAINING)
    private static final class KeepOptions {
        private static final String GENERAL = "general";
        private static final KeepingOptions USUAL = KeepingOptions.defaults();

        @Option(names = "--keep", paramLabel = "general|FILE",
                description = "Has the base answer general prompts, or those "
                        + "of a file, and penalizes each update for what changes along its answers.")
        private String keep;

        @Option(names = "--keep-by", paramLabel = "divergence|answers", defaultValue = "divergence",
                description = "What is minimized along kept answers: the divergence from the base, or their "
                        + "likelihood as "
                        + "if they were rows. Default: ${DEFAULT-VALUE}")
        private String by;

        @Option(names = "--keep-share", paramLabel = "X",
                description = "Kept answers for each example of a batch. Default: 0.25")
        private Double share;

        @Option(names = "--keep-weight", paramLabel = "X", description = "What kept answers count beside the examples. "
                + "Default: 0.3")
        private Double weight;

        /** Checks the options, before anything is read. */
        void check(PeftCommand line) {
            line.requireWith("--keep", List.of("--keep-by", "--keep-share", "--keep-weight"));
            if (!List.of("divergence", "answers").contains(by)) {
                throw line.usage("--keep-by is '" + by + "'; it must be divergence or answers");
            }
            line.fromOptions(this::options);
        }

        private KeepingOptions options() {
            return new KeepingOptions(Optional.ofNullable(share).orElse(USUAL.share()), Optional.ofNullable(weight)
                    .orElse(USUAL.weight()), KeepingOptions.By.valueOf(by.toUpperCase(Locale.ROOT)),
                    USUAL.mostTokens());
        }

        /** What is kept, if anything is. */
        Optional<Keeping> keeping(DataInput input) {
            return Optional.ofNullable(keep).map(what -> what.equals(GENERAL) ? Keeping.general(options())
                    : Keeping.ofPrompts(input.file(Path.of(what)), options()));
        }
    }
}
