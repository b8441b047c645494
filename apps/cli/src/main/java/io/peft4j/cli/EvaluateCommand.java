package io.peft4j.cli;

import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.DataException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.DecisionData;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.Evaluation;
import io.peft4j.eval.PreferenceComparison;
import io.peft4j.eval.PreferenceReport;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.OwnRows;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.report.FailureFiles;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.train.objective.ObjectiveTypes;
import io.peft4j.train.runs.RunInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j evaluate}: is the tuned model really better, by how much, and where does it fail. */
@Command(name = "evaluate", sortOptions = false, description = {"Compares a tuned model with its base on held-out "
        + "items and ends with a verdict: ship, prompt instead, do not ship, harm not known, or need about N more "
        + "items.",
    "Rows of the data are {\"question\"} or {\"messages\"} with \"reference\" (a string, or a list whose best match "
            + "counts) and/or \"must_contain\" (a string, or a list that must all occur). A row may also ask for "
            + "any_of, "
            + "regex, label, choices with answer, format or refusal. Predictions are {\"text\"} a line in the same "
            + "order. Give --model and --adapter, or the predictions of both.",
    "Rows with a better and a worse answer, as train --objective dpo takes them, are compared by their likelihoods.",
    "Adapters of classifiers, taggers, readers of passages, embedders and rerankers are compared on the rows of "
            + "their objective "
            + "({\"text\", \"label\"}, {\"tokens\", \"labels\"}, {\"question\", \"context\", \"answers\"}, "
            + "{\"anchor\", \"positive\"}, {\"query\", \"positive\", \"negatives\"}), "
            + "those of decisions on {\"state\", \"questions\", \"expected\"}, or texts and chats with an option as "
            + "label or last answer; so is "
            + "a model with such a head alone. A base whose head is not trained is replaced by what can be had "
            + "without a model, such as the most frequent label."})
final class EvaluateCommand extends PeftCommand {
    private static final String WHO = "give either --model and --adapter, or --base-predictions and "
            + "--tuned-predictions; a classifier, tagger, reader or embedder needs no --adapter";
    /** What is of use only where questions are answered in words. */
    private static final List<String> FOR_QUESTIONS = List.of("--base-predictions", "--few-shot", "--system-prompt",
            "--arm", "--trained-on", "--other-seed", "--draws", "--judge-url", "--embedding-url", "--similarity",
            "--next", "--normalize", "--answers", "--grader", "--former");

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Held-out items: JSON Lines, CSV, "
            + "TSV or Parquet.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--adapter", paramLabel = "DIR", description = "The adapter of the tuned model.")
    private Path adapter;

    @Option(names = "--base-predictions", paramLabel = "FILE", description = "The base model's answers.")
    private Path basePredictions;

    @Option(names = "--tuned-predictions", paramLabel = "FILE", description = "The tuned model's answers.")
    private Path tunedPredictions;

    @Option(names = "--training-data", paramLabel = "FILE", description = "The training data: searched for held-out "
            + "items, and the source of --few-shot examples.")
    private Path trainingData;

    @Mixin
    private ArmOptions arms;

    @Mixin
    private OpinionOptions opinions;

    @Mixin
    private GraderOptions grader;

    @Option(names = "--no-guard", description = "Skips the guard set of general ability.")
    private boolean noGuard;

    @Option(names = "--all-items", description = "Asks the whole guard set, even where a part of it has decided.")
    private boolean allItems;

    @Option(names = "--guard", paramLabel = "FILE", description = "Further items of the guard set, one JSON object a "
            + "line: category, question, choices (the right one first), and accept, pattern or refusal; or category, "
            + "question, tools and calls.")
    private Path guard;

    @Option(names = "--normalize", description = "Normalizes numbers and units when looking for facts: 1,300 EUR "
            + "holds 1300 euros, ninety days holds 90-day. A row's \"normalize\" does so for that item.")
    private boolean normalize;

    @Option(names = "--former", paramLabel = "FILE", description = "Held-out items of the former edition, matched by "
            + "question: the report says whether changed answers are the new ones, and unchanged ones still right. A "
            + "row's \"former\" does so for that item. Give the former adapter as --arm.")
    private Path former;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "64",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Option(names = "--answers", paramLabel = "FILE",
            description = "Stores answers here, so that an interrupted evaluation can be continued. Default: those of "
                    + "the base alone, in peft4j/answers.jsonl of the user's cache.")
    private Path answers;

    @Option(names = "--metric", paramLabel = "NAME", description = "The metric that decides. Default: reward "
            + "with --grader, contains if items name facts, else token_f1")
    private String metric;

    @Mixin
    private SeedOption seed;

    @Option(names = "--report", paramLabel = "FILE",
            description = "Writes the report as one HTML page, or as Markdown if the name ends in .md.")
    private Path report;

    @Option(names = "--next", paramLabel = "DIR", description = "Writes what to collect next: collect.jsonl, a "
            + "skeleton to fill in, and preferences.jsonl, pairs for preference training.")
    private Path next;

    @Mixin
    private JsonOption json;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        boolean given = basePredictions != null || tunedPredictions != null;
        if (given ? basePredictions == null || tunedPredictions == null || model != null || adapter != null
                : model == null) {
            throw usage(WHO);
        }
        if (given && (arms.isUsed() || answers != null || guard != null || opinions.asksModel())) {
            throw usage("--answers, --draws, --similarity, --guard and further arms need a model and cannot be "
                    + "combined with predictions");
        }
        if (noGuard && guard != null) {
            throw usage("--guard and --no-guard are mutually exclusive");
        }
        if (arms.needsTrainingData() && trainingData == null) {
            throw usage("--few-shot and --trained-on need --training-data");
        }
        fromOptions(opinions::check);
        DataInput.requirePlace(report, data, trainingData, former, basePredictions, tunedPredictions);
        DataInput.requirePlace(next == null ? null : next.resolve("collect.jsonl"), data, trainingData);
        Optional<Task> task = given || adapter == null ? Optional.empty() : AdapterTask.read(adapter);
        if (!given && (adapter == null || task.isPresent())) {
            return ofHead(task);
        }
        DataFiles.requireFile(data);
        if (!given && isOfDecisions(adapter)) {
            return ofDecisions();
        }
        if (isOfPairs()) {
            return ofPairs();
        }
        // Closes the models that grade.
        try (GraderOptions closed = grader) {
            return ofAnswers(given);
        }
    }

    private int ofAnswers(boolean given) {
        List<EvaluationItem> read = former == null ? items() : fromOptions(() -> EvaluationData.withFormer(items(),
                EvaluationData.read(input.file(former, EvaluationData.COLUMNS))));
        List<EvaluationItem> items = read.stream().map(item -> normalize ? item.normalized() : item).toList();
        ComparisonOptions options = ComparisonOptions.defaults().withSeed(seed.value());
        ComparisonReport result = given ? ofPredictions(items, options) : ofModels(items, options);
        result.opinions().stream().filter(JudgeReport::isIncomplete)
                .forEach(opinion -> console().say("Judgements missing: %s (%s)", opinion,
                        String.join("; ", opinion.troubles())));
        result.arms().forEach(arm -> arm.details().model().cut().stream().filter(cut -> cut > 0)
                .forEach(cut -> console().say("Cut at --max-new-tokens %d: %d of %d answers of %s", maxNewTokens, cut,
                        items.size(), arm.name())));
        if (next != null) {
            write("collect.jsonl", FailureFiles.skeleton(result.failures(), items));
            write("preferences.jsonl",
                    FailureFiles.preferencePairs(result.failures(), items, result.tuned().answers()));
        }
        write(result.toMarkdown(), result.toHtml(), result.toJson().toString());
        if (result.verdict().decision() == Verdict.Decision.NOT_FINISHED) {
            console().say("Continue the training with train --resume, the same data and --output %s", adapter);
        }
        return 0;
    }

    /** Rows that the objective of a head learns are compared by what the head says of them. */
    private int ofHead(Optional<Task> task) {
        requireNone(FOR_QUESTIONS, "the outputs of a head are compared, and no answers");
        requireNone(List.of("--guard"), "the outputs of a head are compared, and no answers");
        try (BaseModel base = adapter == null ? engine.load(model, console(), this::headed)
                : engine.loadFor(model, adapter, console(), task)) {
            Optional<Path> used = Optional.ofNullable(adapter).or(base::ownAdapter);
            if (used.isEmpty()) {
                return ofHead(TaskComparison.of(base));
            }
            try (PeftModel tuned = base.withAdapter(used.get())) {
                return ofHead((adapter == null ? TaskComparison.ofDecisions(base, tuned)
                        : TaskComparison.of(base, tuned)).fact("adapter", used.get().toString()));
            }
        }
    }

    private int ofHead(TaskComparison comparison) {
        Optional.ofNullable(metric).ifPresent(comparison::decidingMetric);
        Optional.ofNullable(trainingData).map(input::file).ifPresent(comparison::trainingData);
        TaskReport result = comparison.options(ComparisonOptions.defaults().withSeed(seed.value()))
                .fact("data", data.toString()).fact("PEFT4J", Version.number()).on(input.file(data));
        write(result.toMarkdown(), result.toHtml(), result.toJson().toString());
        return 0;
    }

    /** Rows with questions, or those that an adapter was trained to ask its own question of. */
    private boolean isOfDecisions(Path folder) {
        try (OpenRows rows = OpenRows.open(input.file(data, EvaluationData.COLUMNS))) {
            return DecisionData.isOf(rows, DecisionSettings.read(folder, DecisionSettings.DEFAULT).plainQuestion());
        }
    }

    private int ofDecisions() {
        requireNone(FOR_QUESTIONS, "probabilities of options are compared, and no answers in words");
        requireNone(List.of("--guard"), "probabilities of options are compared, and no answers in words");
        try (BaseModel base = engine.loadFor(model, adapter, console(), Optional.empty());
                PeftModel tuned = base.withAdapter(adapter)) {
            return ofHead(TaskComparison.ofDecisions(base, tuned).fact("adapter", adapter.toString()));
        }
    }

    /** A model alone is evaluated where it has a head or names an adapter; answers are compared with its base's. */
    private Optional<Task> headed(ModelSource source) {
        boolean names = DecisionSettings.read(source.path(), DecisionSettings.DEFAULT).adapter().isPresent();
        if (!BaseModel.taskOf(source).type().hasHead() && !(names && isOfDecisions(source.path()))) {
            throw usage(WHO);
        }
        return Optional.empty();
    }

    /** The items, or what else rows are for that are none. */
    private List<EvaluationItem> items() {
        DataFile file = input.file(data, EvaluationData.COLUMNS);
        try {
            return EvaluationData.read(file, grader.isGiven());
        } catch (DataException e) {
            throw unanswerable(file).orElse(e);
        }
    }

    /** What takes the rows of a file that are no questions. */
    private Optional<DataException> unanswerable(DataFile file) {
        try (OpenRows rows = OpenRows.open(file)) {
            boolean plain = rows.first().flatMap(DataFormat::of).filter(DataFormat.TEXT::equals).isPresent();
            if (plain || RowKind.JUDGED.isOf(rows)) {
                return Optional.of(new DataException(data, 1, "holds " + (plain ? "plain texts"
                        : RowKind.JUDGED.words()) + ", not questions with a reference; peft4j score --data " + data
                        + ", with --adapter and without, says how likely they are to both models"));
            }
            return ObjectiveTypes.all().stream().filter(type -> type.task().isPresent()
                    && type.rows().isOf(rows)).findFirst()
                    .map(type -> new DataException(data, 1, "holds "
                            + type.rows().words() + ", which peft4j train --objective " + type.name()
                            + " learns and evaluate takes for its adapters; " + (adapter == null
                                    ? "here answers are compared" : adapter + " is an adapter that writes answers")
                            + ": give rows of \"question\" and \"reference\""));
        }
    }

    private void requireNone(List<String> options, String reason) {
        options.stream().filter(this::isGiven).findFirst().ifPresent(option -> {
            throw usage(option + " is for questions; of " + data + " " + reason);
        });
    }

    private boolean isOfPairs() {
        try (OpenRows rows = OpenRows.open(input.file(data, EvaluationData.COLUMNS))) {
            return RowKind.PREFERENCES.isOf(rows);
        }
    }

    /** Pairs of answers are judged by their likelihoods: nothing is generated. */
    private int ofPairs() {
        requireNone(FOR_QUESTIONS, "only the likelihoods of pairs of answers are compared");
        requireNone(List.of("--training-data", "--metric"), "only the likelihoods of pairs of answers are compared");
        PreferenceReport result;
        try (BaseModel base = engine.loadFor(model, adapter, console(), Optional.empty());
                PeftModel tuned = base.withAdapter(adapter)) {
            PreferenceComparison comparison = PreferenceComparison.of(base, tuned)
                    .options(ComparisonOptions.defaults().withSeed(seed.value()));
            guardSet().ifPresentOrElse(comparison::guard, comparison::withoutGuard);
            result = comparison.on(RowKind.PREFERENCES.read(input.file(data, EvaluationData.COLUMNS)));
        }
        write(result.toMarkdown(), result.toHtml(), result.toJson());
        return 0;
    }

    private void write(String markdown, String page, String line) {
        if (report != null) {
            boolean replaced = Files.exists(report);
            AtomicFiles.writeString(report, report.toString().endsWith(".md") ? markdown : page);
            console().say("The report is in %s%s", report, replaced ? ", in place of the former one" : "");
        }
        if (json.isGiven()) {
            console().print(line);
        } else {
            console().printMarkdown(markdown);
        }
    }

    private Optional<GuardSet> guardSet() {
        GuardSet set = guard == null ? GuardSet.builtIn() : GuardSet.builtIn().plus(GuardSet.read(guard));
        return noGuard ? Optional.empty() : Optional.of(allItems ? set.whole() : set);
    }

    private void write(String name, List<String> lines) {
        AtomicFiles.writeString(next.resolve(name), lines.isEmpty() ? "" : String.join("\n", lines) + "\n");
    }

    private ComparisonReport ofPredictions(List<EvaluationItem> items, ComparisonOptions options) {
        Evaluation evaluation = Evaluation.of(items).answers(given("base", basePredictions, items.size()))
                .answers(given("tuned", tunedPredictions, items.size())).fact("data", data.toString())
                .fact("statistics", options.describe()).fact("PEFT4J", Version.number());
        Optional.ofNullable(trainingData).map(input::file).map(ChatDataset::read).ifPresent(evaluation::trainingData);
        Optional.ofNullable(metric).ifPresent(evaluation::decidingMetric);
        grading().ifPresent(evaluation::grader);
        opinions.addTo(evaluation);
        return evaluation.compare(options);
    }

    /** How the training that left this folder ended. */
    static Optional<OwnRows.Ending> ending(Path folder) {
        return RunInfo.read(folder).learned().map(rows -> new OwnRows.Ending(rows.rows(), rows.rows() - rows.learned(),
                rows.reason().words()));
    }

    private Optional<Grading> grading() {
        return grader.isGiven() ? Optional.of(fromOptions(() -> grader.grading(name -> engine.load(name, console()))))
                : Optional.empty();
    }

    private static ArmAnswers given(String name, Path file, int items) {
        return ArmAnswers.given(name, "answers in " + file, EvaluationData.answers(file, items));
    }

    private ComparisonReport ofModels(List<EvaluationItem> items, ComparisonOptions options) {
        GenerationOptions generation = fromOptions(() -> GenerationOptions.defaults()
                .withMaxNewTokens(maxNewTokens));
        try (BaseModel base = engine.loadFor(model, adapter, console(), Optional.empty());
                PeftModel tuned = base.withAdapter(adapter);
                ArmOptions.Models others = arms.open(base);
                ComparisonProgress progress = new ComparisonProgress(console())) {
            Comparison comparison = Comparison.of(base, tuned).options(options).generation(generation)
                    .listener(progress).fact("adapter", adapter.toString()).fact("data", data.toString())
                    .fact("PEFT4J", Version.number());
            Optional.ofNullable(answers).ifPresentOrElse(comparison::cachedIn,
                    () -> BaseAnswers.writable().ifPresent(comparison::baseCachedIn));
            Optional.ofNullable(metric).ifPresent(comparison::decidingMetric);
            guardSet().ifPresentOrElse(comparison::guard, comparison::withoutGuard);
            Optional<ChatDataset> training = Optional.ofNullable(trainingData).map(input::file).map(ChatDataset::read);
            training.ifPresent(comparison::trainingData);
            ending(adapter).ifPresent(comparison::trainingEnd);
            fromOptions(() -> others.addTo(comparison, training));
            grading().ifPresent(comparison::grader);
            opinions.addTo(comparison, base);
            return comparison.on(items);
        }
    }
}
