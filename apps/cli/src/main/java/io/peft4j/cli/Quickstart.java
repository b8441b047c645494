package io.peft4j.cli;

import io.peft4j.cli.QuickstartTime.Part;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.FactAccuracy;
import io.peft4j.eval.FactReport;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Cancellation;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The story that must always work: a model that knows nothing of a company is asked, learns the company's handbook, and
 * is asked again.
 */
final class Quickstart {
    private static final int RANK = 32;
    private static final int ALPHA = 64;
    /** As long as the handbook's longest answer, and some more. */
    private static final GenerationOptions ANSWERS = GenerationOptions.defaults().withMaxNewTokens(48);

    private final BaseModel base;
    private final Handbook handbook;
    private final List<EvaluationItem> questions;
    private final Settings settings;
    private final Console console;
    private final PrintWriter report;
    private final QuickstartTime time;

    /**
     * What can be chosen.
     *
     * @param output folder of the adapter
     * @param ifExists what happens to a training that is there
     * @param plan how it trains and what it asks
     * @param seed of the adapter's first values and of the order of examples
     * @param answers file that keeps the base model's answers for the next time
     */
    record Settings(Path output, IfExists ifExists, QuickstartPlan plan, long seed, Path answers) {
        /** The numbers of the training; fails where they are out of range. */
        TrainingOptions training() {
            return TrainingOptions.of(plan.epochs(), plan.batchSize(), plan.learningRate());
        }
    }

    /**
     * What came out.
     *
     * @param before the base model's facts
     * @param known how many of the base model's answers an earlier run had kept
     * @param after the tuned model's
     * @param training the training
     * @param comparison the verdict, and everything behind it
     */
    record Result(FactReport before, int known, FactReport after, TrainingResult training,
            ComparisonReport comparison) {
    }

    /**
     * A run.
     *
     * @param console where progress goes
     * @param report where progress and results are printed
     */
    Quickstart(BaseModel base, Handbook handbook, Settings settings, Console console, PrintWriter report) {
        this.base = base;
        this.handbook = handbook;
        this.questions = settings.plan().questions(handbook.heldOut());
        this.settings = settings;
        this.console = console;
        this.report = report;
        this.time = new QuickstartTime(settings.plan(), base.network().description(), base.engine()
                .compute(k -> SpeedLimits.matmulGflops(k, base.network().description().activationType())));
    }

    /** Runs it; empty when the training was interrupted, which leaves the adapter as far as it came. */
    Optional<Result> run(Interrupts interrupts) {
        say("1/5 The base model");
        say("    %s", EngineOptions.describe(base));
        int known = asking(base, settings.answers()).known(questions);
        if (known == questions.size()) {
            time.skipBaseAnswers();
        }
        say("    expected time: about %s from here; the training is the same on every machine", TerminalProgress.time(
                time.left()));
        List<String> leftOut = settings.plan().leftOut(handbook.heldOut().size());
        if (!leftOut.isEmpty()) {
            say("    left out for speed: %s", String.join("; ", leftOut));
        }
        say("2/5 Asking it %d held-out questions of the handbook", questions.size());
        FactReport before = ask(base, settings.answers(), Part.BASE_ANSWERS);
        if (known > 0) {
            say("    %d of these answers are from the cache of an earlier run, %s", known, settings.answers());
        }
        try (PeftModel model = base.withAdapter(config(), settings.seed())) {
            Cancellation cancellation = new Cancellation();
            TrainingResult training;
            try (Interrupts.Registration stopping = interrupts.stopping(cancellation, console)) {
                training = train(model, cancellation);
            }
            if (cancellation.isRequested()) {
                return Optional.empty();
            }
            say("4/5 Asking the tuned model the same questions%s", left());
            FactReport after = ask(model, settings.output().resolve("answers.jsonl"), Part.TUNED_ANSWERS);
            say("5/5 Comparing them: statistics%s%s", settings.plan().guard()
                    ? ", and what was forgotten of general ability" : "", left());
            ComparisonReport comparison = compare(model);
            comparison.writeHtml(settings.output().resolve("report.html"));
            return Optional.of(new Result(before, known, after, training, comparison));
        }
    }

    /** How long the rest takes. */
    private String left() {
        return String.format(Locale.ROOT, " (about %s left)", TerminalProgress.time(time.left()));
    }

    /** LoRA on all linear layers of the upper decoder layers. */
    private LoraConfig config() {
        Network network = base.network();
        return LoraConfig.builder().rank(RANK).alpha(ALPHA).targetModules(Targets.allLinearNames(network))
                .layersToTransform(IntStream.range(firstLayer(), network.description().layers()).toArray()).build();
    }

    private int firstLayer() {
        return settings.plan().firstLayer(base.network().description());
    }

    private static FactAccuracy asking(LanguageModel model, Path cache) {
        return FactAccuracy.of(model).options(ANSWERS).cachedIn(cache);
    }

    private FactReport ask(LanguageModel model, Path cache, Part part) {
        long begin = System.nanoTime();
        try (TerminalProgress progress = TerminalProgress.of(console, "Asking", 0, questions.size())) {
            FactReport facts = asking(model, cache).listener((done, total) -> progress.to(done, "")).on(questions);
            progress.close();
            double seconds = (System.nanoTime() - begin) / 1e9;
            time.took(part, seconds);
            say("    %s of its answers hold the expected fact (%s)", facts, TerminalProgress.time(seconds));
            return facts;
        }
    }

    /** The held-out answers are known by now; the guard set is asked. */
    private ComparisonReport compare(PeftModel model) {
        try (ComparisonProgress progress = new ComparisonProgress(console)) {
            Comparison comparison = Comparison.of(base, model).generation(ANSWERS).withoutLikelihood()
                    .baseCachedIn(settings.answers())
                    .cachedIn(settings.output().resolve("answers.jsonl"))
                    .trainingData(handbook.examples(settings.plan().general()))
                    .fact("adapter", settings.output().toString()).fact("data", "the handbook's held-out questions")
                    .fact("PEFT4J", Version.number()).listener(progress);
            EvaluateCommand.ending(settings.output()).ifPresent(comparison::trainingEnd);
            return (settings.plan().guard() ? comparison : comparison.withoutGuard()).on(questions);
        }
    }

    private TrainingResult train(PeftModel model, Cancellation cancellation) {
        String general = settings.plan().general() == 0 ? "" : " and " + settings.plan().general() + " general ones";
        say("3/5 Training LoRA on its %d examples%s%s: rank %d, alpha %d, all linear layers of",
                handbook.train().size(), general, left(), RANK, ALPHA);
        say("    decoder layers %d to %d, %s, batch size %d, learning rate %s, falling at the end", firstLayer(),
                base.network().description().layers() - 1, Count.of(settings.plan().epochs(), "epoch"),
                settings.plan().batchSize(), settings.plan().learningRate());
        say("    %s", model.trainableSummary());
        try (TrainingProgress progress = new TrainingProgress(console, false)) {
            TrainingResult training = Trainer.builder(model).options(settings.training()).seed(settings.seed())
                    .logProgress(false).output(settings.output(), settings.ifExists())
                    .cancellation(cancellation).listener(progress).build()
                    .train(handbook.examples(settings.plan().general()));
            progress.close();
            time.took(Part.TRAINING, training.seconds());
            say("    %s", training);
            return training;
        }
    }

    private void say(String format, Object... arguments) {
        report.println(String.format(Locale.ROOT, format, arguments));
        report.flush();
    }
}
