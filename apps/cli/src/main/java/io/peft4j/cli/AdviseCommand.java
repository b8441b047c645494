package io.peft4j.cli;

import io.peft4j.advise.Advice;
import io.peft4j.advise.FineTuningAdvisor;
import io.peft4j.advise.Passages;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j advise}: fine-tune, prompt instead, or collect more. */
@Command(name = "advise", sortOptions = false, description = {"Says whether to fine-tune, to prompt instead, or to "
        + "collect more data, with the evidence: the most similar training row, the base model as it is, with the "
        + "best few-shot prompt, with passages retrieved into its prompt, and after short trainings on a quarter, a "
        + "half and all of the data, all on the same held-out items. Of an objective for a head no prompts are tried.",
    "A quarter of the data is held out, at most 60 rows (200 of a head), unless --held-out is given; rows with "
            + "\"must_contain\" are judged by these facts. Nothing is kept but the report.",
    "--time-budget is about as long as all of it may take; --max-steps, --validation and what ends a training early "
            + "have no effect here."})
final class AdviseCommand extends TrainingCommand {
    @Option(names = "--held-out", paramLabel = "FILE", description = "Items to measure on, as of peft4j evaluate.")
    private Path heldOut;

    @Option(names = "--passages", paramLabel = "FILE", description = "A text or a handbook (.md, .html, .pdf, .docx, "
            + ".xlsx) whose paragraphs are retrieved into the prompt. Default: the training rows")
    private Path passages;

    @Option(names = "--changes-every", paramLabel = "HOURS", description = "How often the data change, so that a "
            + "training has to be repeated.")
    private Double changesEvery;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "64",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Mixin
    private PriceOptions prices;

    @Option(names = "--report", paramLabel = "FILE", description = "Writes the evidence as one HTML page.")
    private Path report;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        checkTraining("passages");
        if (changesEvery != null && !(changesEvery > 0)) {
            throw usage("--changes-every must be above 0");
        }
        fromOptions(prices::prices);
        DataInput.requirePlace(report, data, heldOut, passages);
        GenerationOptions generation = fromOptions(() -> GenerationOptions.defaults().withMaxNewTokens(maxNewTokens));
        AdapterOptions.Choice choice = adapter.choice(this);
        TrainingData read = examples();
        boolean answers = read.chats().isPresent();
        if (!answers && passages != null) {
            throw usage("--passages is for --objective sft, whose models write answers");
        }
        Optional<Path> given = Optional.ofNullable(heldOut);
        List<EvaluationItem> items = answers ? given.map(file -> EvaluationData.read(input.file(file,
                EvaluationData.COLUMNS))).orElse(List.of()) : List.of();
        List<?> rows = answers || given.isEmpty() ? List.of() : objective.read(asked(), input, data, given,
                name -> engine.load(name, console())).held();
        Optional<Passages> texts = Optional.ofNullable(passages).map(Passages::ofFile);
        Console console = console();
        try (BaseModel base = engine.load(model, console, source -> read.task(() -> BaseModel.taskOf(source)))) {
            TrainingData examples = on(base, read);
            console.say("model:      %s", EngineOptions.describe(base));
            FineTuningAdvisor advisor = FineTuningAdvisor.of(base, new AdviceTraining(this, base, choice, examples))
                    .generation(generation).prices(prices.prices()).seed(asked().seed()).listener(console::say);
            texts.ifPresent(advisor::passages);
            timeBudget().ifPresent(advisor::timeBudget);
            Optional.ofNullable(changesEvery).map(hours -> Duration.ofNanos((long) (3600e9 * hours)))
                    .ifPresent(advisor::changesEvery);
            if (!items.isEmpty()) {
                advisor.heldOut(items);
            }
            show(console, answers ? advisor.on(examples.chats().get()) : advisor.onRows(examples.examples(), rows));
            return 0;
        }
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
        advice.ways().forEach(way -> console.out().printf(Locale.ROOT, "%-18s %4.0f %%  %-14s %7.1f s "
                + "%8.2f s%s%n", way.name(), 100 * way.score(),
                way.interval().words(1, value -> String.format(
                        Locale.ROOT, "%.0f", 100 * value)),
                way.seconds(), way.secondsAnAnswer(), way.cost().isEmpty() ? ""
                        : String.format(Locale.ROOT, "  cost %.4g", way.cost().getAsDouble())));
        console.checkOut();
    }

    /**
     * Trains as rules choose, where time is short with fewer layers or epochs, and knows what was left out for that.
     */
    private static final class AdviceTraining implements FineTuningAdvisor.Training {
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
}
