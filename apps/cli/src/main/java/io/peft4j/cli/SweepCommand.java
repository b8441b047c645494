package io.peft4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.trackers.Trackers;
import io.peft4j.trackers.TrackingListener;
import io.peft4j.train.Cancellation;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.plan.Hyperparameters;
import io.peft4j.train.sweep.SearchSpace;
import io.peft4j.train.sweep.SearchStrategy;
import io.peft4j.train.sweep.Sweep;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.SweepResult.Trial;
import io.peft4j.train.sweep.TrialSetup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code peft4j sweep}: many trainings, and which was best. */
@Command(name = "sweep", sortOptions = false, description = {"Trains adapters with different options and finds the "
        + "one with the lowest loss on validation data.",
    "The options are those of train; the space says which values they have instead. Each trial has an output folder of "
            + "its own; sweep.json and sweep.html tell of all."})
final class SweepCommand extends TrainingCommand {
    /** The groups of options that say how a trial learns; of others all trials have the same. */
    private static final List<String> HOW = List.of(HelpGroup.TRAINING, HelpGroup.OBJECTIVE, "Adapter", "Updates",
            "End of the training");

    @Option(names = "--space", paramLabel = "FILE.json", description = "What is tried: "
            + "{\"learning_rate\": {\"min\": 1e-4, \"max\": 1e-2, \"log\": true}, \"rank\": [8, 16]}. Options "
            + "of train with underscores, and keys of the adapter's configuration.")
    private Path spaceFile;

    @Option(names = "--seeds", paramLabel = "N", description = "In place of a space: N trainings that differ in their "
            + "seed alone, from --seed on.")
    private Integer seeds;

    @Option(names = "--output", required = true, paramLabel = "DIR", description = "Folder for the trials.")
    private Path output;

    @Option(names = "--strategy", paramLabel = "NAME", defaultValue = "tpe", description = "grid, random or tpe (looks "
            + "where good trials lie). Default: ${DEFAULT-VALUE}")
    private String strategy;

    @Option(names = "--trials", paramLabel = "N", description = "Number of trials. Default: 20, or the whole grid")
    private Integer trials;

    @Option(names = "--halving", paramLabel = "RATE", description = "Successive halving: of RATE trials the best "
            + "continues for RATE times as many steps; 2 or 3 is usual. Default: all are trained to their end")
    private Integer halving;

    @Option(names = "--side-by-side", paramLabel = "N", description = "Trials that share passes at most. Default: "
            + "as many as have 2,048 tokens in a pass together, at most 8")
    private Integer sideBySide;

    @Option(names = "--tracker", paramLabel = "NAME[=PLACE]", description = "As in train, for each trial.")
    private List<String> trackers = List.of();

    @Option(names = "--resume", description = "Resumes the sweep in the output folder.")
    private boolean resume;

    @Option(names = "--json", description = "Prints a JSON line per trial and one at the end on stdout.")
    private boolean json;

    @Override
    public Integer call() {
        checkTraining();
        SearchStrategy search = fromOptions(() -> SearchStrategy.named(seeds == null ? strategy : "grid"));
        fromOptions(() -> trackers.stream().map(Trackers::of).toList());
        if (trials != null && trials < 1 || halving != null && halving < 2 || sideBySide != null && sideBySide < 1) {
            throw usage("--trials and --side-by-side must be at least 1, and --halving at least 2");
        }
        SearchSpace space = space();
        AdapterOptions.Choice choice = adapter.choice(this);
        if (!choice.isNew()) {
            throw usage("--adapter-init is not for a sweep, whose trials begin with new adapters");
        }
        TrainingData read = examples();
        if (validation == null && read.chats().isEmpty()) {
            throw usage("trials are compared by their loss on validation data: give --validation");
        }
        if (sideBySide != null && sideBySide > 1 && read.chats().isEmpty()) {
            throw usage("--side-by-side is for --objective sft: only trials that predict the next token of chats share "
                    + "passes");
        }
        Cancellation cancellation = new Cancellation();
        Console console = console();
        try (BaseModel base = engine.load(model, console, source -> read.task(() -> BaseModel.taskOf(source)));
                Interrupts.Registration stopping = interrupts().stopping(cancellation, console)) {
            TrainingData examples = on(base, read);
            askOnce(base);
            Optional<Hyperparameters> chosen = chosen(base, examples, choice);
            PeftConfig usual = choice.with(chosen).config(base).orElseThrow();
            SweepBuilder sweep = Sweep.of(base, usual, space)
                    .strategy(search).seed(asked().seed()).resume(resume).cancellation(cancellation)
                    .trainer(tuned -> builder(tuned, chosen)).setup(options().keySet(), values -> trial(base, examples,
                            values))
                    .progress(trial -> say(console, trial))
                    .listeners(folder -> trackers.isEmpty() ? List.of() : List.of(new TrackingListener(
                            folder.getFileName().toString(), trackers.stream().map(Trackers::of).toList())
                            .withOutput(folder)));
            Optional.ofNullable(trials).ifPresent(sweep::trials);
            Optional.ofNullable(halving).ifPresent(sweep::halving);
            Optional.ofNullable(sideBySide).ifPresent(sweep::sideBySide);
            examples.sweep(sweep);
            console.say("model:      %s", EngineOptions.describe(base));
            console.say("space:      %s, strategy %s", space.domains().keySet(), search);
            space.domains().keySet().stream().filter(name -> seeds == null)
                    .map(name -> "--" + name.replace('_', '-')).filter(this::isGiven)
                    .forEach(option -> console.say("WARN %s has no effect: the space has values for it", option));
            SweepResult result = sweep.run(output);
            return end(console, result, cancellation);
        }
    }

    private SearchSpace space() {
        if ((spaceFile == null) == (seeds == null) || seeds != null && seeds < 2) {
            throw usage("give --space FILE.json, or --seeds N with N of at least 2");
        }
        long first = asked().seed();
        return seeds == null ? SearchSpace.read(spaceFile)
                : SearchSpace.of("{\"seed\": " + LongStream.range(first, first + seeds).boxed().toList() + "}",
                        "--seeds");
    }

    /** The options of train that a trial can have a value of, by their names in the space: what says how it learns. */
    private Map<String, OptionSpec> options() {
        return spec().options().stream().filter(option -> HOW.contains(GroupedOptions.heading(option)))
                .collect(Collectors.toMap(option -> option.longestName().substring(2).replace('-', '_'),
                        option -> option));
    }

    /** A trial is the line of this command with its values in place of what is given there. */
    private TrialSetup trial(BaseModel base, TrainingData examples, Map<String, JsonNode> values) {
        List<String> words = new ArrayList<>(spec().root().commandLine().getParseResult().originalArgs());
        boolean learnsOther = false;
        for (Map.Entry<String, JsonNode> value : values.entrySet()) {
            OptionSpec option = options().get(value.getKey());
            boolean flag = option.arity().max() == 0;
            int at = words.indexOf(option.longestName());
            if (at >= 0) {
                words.subList(at, at + (flag ? 1 : 2)).clear();
            }
            words.removeIf(word -> word.startsWith(option.longestName() + "="));
            if (!flag || value.getValue().asBoolean()) {
                words.add(flag ? option.longestName() : option.longestName() + "=" + word(value.getValue()));
            }
            learnsOther |= option.longestName().equals("--remember") || GroupedOptions.heading(option).equals(
                    HelpGroup.OBJECTIVE);
        }
        if (learnsOther && validation == null) {
            throw usage("the space changes what is learned: give --validation, by which trials are compared");
        }
        SweepCommand trial = new SweepCommand();
        AdapterOptions.Choice choice;
        try {
            Main.commandLine(interrupts(), List.of(trial)).parseArgs(words.toArray(String[]::new));
            trial.checkTraining();
            choice = trial.adapter.choice(trial);
        } catch (ParameterException e) {
            throw new ConfigurationException("the space of the sweep: " + values + ": " + e.getMessage(), e);
        }
        Optional<Hyperparameters> chosen = trial.chosen(base, examples, choice);
        return new TrialSetup(choice.with(chosen).config(base).orElseThrow(), tuned -> trial.builder(tuned, chosen),
                learnsOther ? Optional.of(trial.on(base, trial.examples())::train) : Optional.empty());
    }

    /** As it is given on the command line. */
    private static String word(JsonNode value) {
        List<String> parts = new ArrayList<>();
        value.forEach(part -> parts.add(part.asText()));
        return value.isArray() ? String.join(",", parts) : value.asText();
    }

    private void say(Console console, Trial trial) {
        console.say("%s: %s%s, %s", trial.name(), trial.state().name().toLowerCase(Locale.ROOT),
                trial.loss().isPresent() ? String.format(Locale.ROOT, " after %s, validation loss %.4f",
                        Count.of(trial.steps(), "step"), trial.loss().getAsDouble())
                        : trial.message().map(why -> ": " + why).orElse(""),
                trial.values());
        if (json) {
            console.print(SweepResult.json(trial));
        }
    }

    private int end(Console console, SweepResult result, Cancellation cancellation) {
        console.say("%n%s", result.table().stripTrailing());
        result.best().ifPresent(best -> console.say("%nThe best adapter is in %s; %s shows all trials",
                result.folder(best), output.resolve("sweep.html")));
        DoubleSummaryStatistics losses = result.trials().stream().flatMapToDouble(trial -> trial.loss().stream())
                .summaryStatistics();
        if (seeds != null && losses.getCount() > 1) {
            console.say("The validation losses of %d seeds are %.4f to %.4f, %.4f in the mean", losses.getCount(),
                    losses.getMin(), losses.getMax(), losses.getAverage());
        }
        if (cancellation.isRequested()) {
            console.say("The sweep was stopped; --resume continues it");
        }
        if (json) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("sweep", output.toString())
                    .put("trials", result.trials().size());
            result.best().ifPresent(best -> line.put("best", best.name())
                    .put("adapter", result.folder(best).toString()).put("eval_loss", best.loss().orElseThrow()));
            console.print(line);
        }
        if (result.best().isEmpty() && !cancellation.isRequested()) {
            console.say("peft4j: no trial has finished");
            return 1;
        }
        return 0;
    }
}
