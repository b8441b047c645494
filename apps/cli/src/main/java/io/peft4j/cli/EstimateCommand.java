package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainingEstimate;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j estimate}: what a training would take. */
@Command(name = "estimate", sortOptions = false, description = {"Says what peft4j train would take with the same "
        + "options: trainable parameters, tokens and the adapter's size exactly, time and peak memory from a probe of "
        + "seconds on this machine. Writes nothing.",
    "seconds are those that the training reports at its end, asking_seconds what the base takes before to "
            + "answer prompts with --keep; MB are 10^6 bytes."})
final class EstimateCommand extends TrainingCommand {
    @Mixin
    private PriceOptions prices;

    @Option(names = "--output", paramLabel = "DIR", description = "As of peft4j train; nothing is written there.")
    private Path output;

    @Option(names = "--checkpoint-steps", paramLabel = "N", description = "As of peft4j train; not counted.")
    private Integer checkpointSteps;

    @Option(names = "--tracker", paramLabel = "NAME[=PLACE]", description = "As of peft4j train; not counted.")
    private List<String> trackers;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        checkTraining();
        fromOptions(prices::prices);
        AdapterOptions.Choice choice = adapter.choice(this);
        TrainingData read = examples();
        Console console = console();
        try (BaseModel base = engine.load(model, console, source -> read.task(() -> BaseModel.taskOf(source)))) {
            TrainingData examples = on(base, read);
            Optional<Hyperparameters> chosen = chosen(base, examples, choice);
            try (PeftModel tuned = tuned(base, examples, choice.with(chosen))) {
                console.say("model:      %s", EngineOptions.describe(base));
                sayChosen(console, chosen);
                TrainingEstimate estimate = examples.estimate(builder(tuned, chosen), tuned);
                if (!estimate.chosen().isEmpty()) {
                    console.say("auto:       %s", estimate.chosen());
                }
                if (json.isGiven()) {
                    console.print(line(estimate));
                } else {
                    show(console, estimate);
                }
            }
            return 0;
        }
    }

    private ObjectNode line(TrainingEstimate estimate) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("trainable_parameters",
                estimate.trainableParameters());
        estimate.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        line.put("seconds", estimate.seconds()).put("tokens", estimate.tokens())
                .put("adapter_mb", estimate.adapterMegabytes()).put("steps", estimate.updates())
                .put("tokens_per_s", estimate.tokensPerSecond()).put("probe_seconds", estimate.probeSeconds());
        if (estimate.isRange()) {
            line.put("fewest_steps", estimate.fewestUpdates()).put("fewest_seconds", estimate.fewestSeconds());
        }
        if (estimate.askingSeconds() > 0) {
            line.put("asking_seconds", estimate.askingSeconds());
        }
        prices.put(line, estimate.askingSeconds() + estimate.seconds(), estimate.tokens());
        return line;
    }

    private void show(Console console, TrainingEstimate estimate) {
        console.out().printf(Locale.ROOT, "trainable parameters: %,d%n", estimate.trainableParameters());
        console.out().printf(Locale.ROOT, "adapter:              %.3f MB on disk%n", estimate.adapterMegabytes());
        console.out().printf(Locale.ROOT, "tokens:               %s%,d in %s%s%n", estimate.isRange()
                ? "at most " : "", estimate.tokens(), estimate.isRange() ? estimate.fewestUpdates() + " to " : "",
                Count.of(estimate.updates(), "step"));
        console.out().printf(Locale.ROOT, "time:                 about %s%s (%.0f tokens/s)%n",
                estimate.isRange() ? TerminalProgress.time(estimate.fewestSeconds()) + " to " : "",
                TerminalProgress.time(estimate.seconds()), estimate.tokensPerSecond());
        if (estimate.askingSeconds() > 0) {
            console.out().printf(Locale.ROOT, "                      and %s before, for the answers that are kept%n",
                    TerminalProgress.time(estimate.askingSeconds()));
        }
        console.out().printf(Locale.ROOT, "peak memory:          about %s%n",
                PeakMemory.text(estimate.peakResidentBytes()));
        String cost = prices.text(estimate.askingSeconds() + estimate.seconds(), estimate.tokens());
        if (!cost.isEmpty()) {
            console.out().printf(Locale.ROOT, "cost:                 %s%n", cost);
        }
        console.out().printf(Locale.ROOT,
                "(from a probe of %.1f s; it assumes that the machine stays as busy as it was "
                        + "then)%n",
                estimate.probeSeconds());
        console.checkOut();
    }
}
