package io.peft4j.cli;

import io.peft4j.advise.Advice;
import io.peft4j.advise.FineTuningAdvisor;
import io.peft4j.advise.Passages;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j advise}: fine-tune, prompt instead, or collect more. */
@Command(name = "advise", sortOptions = false, description = {"Says whether to fine-tune, to prompt instead, or to "
        + "collect more data, with the evidence: the base model as it is, with the best few-shot prompt, with passages "
        + "retrieved into its prompt, and after short trainings on a quarter, a half and all of the data, all on the "
        + "same held-out items.",
    "A quarter of the data is held out, at most 60 rows, unless --held-out is given; rows with \"must_contain\" are "
            + "judged by these facts. Nothing is kept but the report."})
final class AdviseCommand extends PeftCommand {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Chat data, as of peft4j train.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--held-out", paramLabel = "FILE", description = "Items to measure on, as of peft4j evaluate.")
    private Path heldOut;

    @Option(names = "--passages", paramLabel = "FILE", description = "A text or a handbook (.md, .html, .pdf, .docx, "
            + ".xlsx) whose paragraphs are retrieved into the prompt. Default: the training rows")
    private Path passages;

    @Option(names = "--time-budget", paramLabel = "SECONDS", description = "About as long as all of it may take.")
    private Double budget;

    @Option(names = "--changes-every", paramLabel = "HOURS", description = "How often the data change, so that a "
            + "training has to be repeated.")
    private Double changesEvery;

    @Mixin
    private AdapterOptions adapter;

    @Option(names = "--epochs", paramLabel = "N|auto", defaultValue = "auto",
            description = "Epochs of each training. Default: ${DEFAULT-VALUE}")
    private AutoInteger epochs;

    @Option(names = "--batch-size", paramLabel = "N|auto", defaultValue = "auto",
            description = "Examples per forward pass. Default: ${DEFAULT-VALUE}")
    private AutoInteger batchSize;

    @Option(names = "--learning-rate", paramLabel = "X|auto", defaultValue = "auto",
            description = "Peak learning rate. Default: ${DEFAULT-VALUE}")
    private AutoNumber learningRate;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "64",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Mixin
    private SeedOption seed;

    @Mixin
    private PriceOptions prices;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--report", paramLabel = "FILE", description = "Writes the evidence as one HTML page.")
    private Path report;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        if (budget != null && !(budget > 0) || changesEvery != null && !(changesEvery > 0)) {
            throw usage("--time-budget and --changes-every must be above 0");
        }
        fromOptions(prices::prices);
        DataInput.requirePlace(report, data, heldOut, passages);
        GenerationOptions generation = fromOptions(() -> GenerationOptions.defaults().withMaxNewTokens(maxNewTokens));
        AdapterOptions.Choice choice = adapter.choice(this);
        ChatDataset examples = ChatDataset.read(input.file(data));
        Optional<List<EvaluationItem>> items = Optional.ofNullable(heldOut).map(input::file)
                .map(EvaluationData::read);
        Optional<Passages> texts = Optional.ofNullable(passages).map(Passages::ofFile);
        Console console = console();
        try (BaseModel base = engine.load(model, console)) {
            console.say("model:      %s", EngineOptions.describe(base));
            FineTuningAdvisor advisor = FineTuningAdvisor.of(base, training(base, choice, console))
                    .generation(generation).prices(prices.prices()).seed(seed.value()).listener(console::say);
            items.ifPresent(advisor::heldOut);
            texts.ifPresent(advisor::passages);
            Optional.ofNullable(budget).map(AdviseCommand::seconds).ifPresent(advisor::timeBudget);
            Optional.ofNullable(changesEvery).map(hours -> seconds(3600 * hours)).ifPresent(advisor::changesEvery);
            show(console, advisor.on(examples));
            return 0;
        }
    }

    private AdviceTraining training(BaseModel base, AdapterOptions.Choice choice, Console console) {
        return new AdviceTraining(base, choice, rules -> {
            epochs.value().ifPresent(rules::epochs);
            batchSize.value().ifPresent(rules::batchSize);
            learningRate.value().ifPresent(rules::learningRate);
            adapter.addTo(rules);
            choice.config(base).ifPresent(rules::method);
        }, seed.value(), console);
    }

    private static Duration seconds(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    private void show(Console console, Advice advice) {
        if (report != null) {
            advice.writeHtml(report);
            console.say("The report is in %s", report);
        }
        if (json.isGiven()) {
            console.print(advice.toJson());
            return;
        }
        console.out().println(advice.headline());
        advice.reasons().forEach(reason -> console.out().println("- " + reason));
        console.out().printf(Locale.ROOT, "%n%-18s %6s  %-14s %9s %10s%n", "way", "score", "95 % interval", "time",
                "an answer");
        advice.ways().forEach(way -> console.out().printf(Locale.ROOT, "%-18s %4.0f %%  %3.0f to %3.0f %%   %7.1f s "
                + "%8.2f s%s%n", way.name(), 100 * way.score(), 100 * way.interval().low(),
                100 * way.interval().high(), way.seconds(), way.secondsAnAnswer(), way.cost().isEmpty() ? ""
                        : String.format(Locale.ROOT, "  cost %.4g", way.cost().getAsDouble())));
        console.checkOut();
    }
}
