package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.eval.FactReport;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.models.BaseModel;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j quickstart}: the whole story on a real model. */
@Command(name = "quickstart", sortOptions = false,
        description = "Trains a model on the handbook of a made-up company and shows the difference.")
final class QuickstartCommand extends PeftCommand {
    private static final String OUTPUT = "quickstart-output";
    private static final String STORY = "What is the notice period for a Senior Consultant?";
    private static final int SHOWN = 5;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf", defaultValue = "HuggingFaceTB/SmolLM2-135M-Instruct",
            description = "The base model. Default: ${DEFAULT-VALUE}")
    private String model;

    @Option(names = "--output", paramLabel = "DIR",
            description = "Folder for the adapter. Default: " + OUTPUT + ", or the next free numbered folder")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--epochs", paramLabel = "N",
            description = "Passes over the handbook. Default: 9; of a very small model such as tiny 12")
    private Integer epochs;

    @Option(names = "--learning-rate", paramLabel = "X",
            description = "Peak of the learning rate. Default: 1e-3; of a very small model 5e-3")
    private Double learningRate;

    @Mixin
    private SeedOption seed;

    @Option(names = "--general", paramLabel = "N", description = "Mixes N general examples into the training, against "
            + "forgetting; there are 104, and with few of them the verdict cannot be to ship. Default: 104; of a very "
            + "small model 16")
    private Integer general;

    @Option(names = "--fast", description = "Trains the same way and measures less: asks every second question, and "
            + "none on general ability, so that there is nothing to tell what was forgotten.")
    private boolean fast;

    @Option(names = "--answers", hidden = true, description = "The file of kept answers, for tests.")
    private Path answers;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--json", description = "Prints the figures as one JSON object on stdout, and all else on stderr.")
    private boolean json;

    @Override
    public Integer call() {
        long begin = System.nanoTime();
        Console console = console();
        PrintWriter report = json ? console.err() : console.out();
        Path folder = folder();
        Handbook handbook = Handbook.builtIn();
        if (general != null && (general < 0 || general > handbook.general().size())) {
            throw usage("--general is " + general + "; it must be 0 to " + handbook.general().size());
        }
        fromOptions(settings(folder, chosen(QuickstartPlan.PLAIN))::training);
        Trainer.requireOutput(folder, RunStart.NEW, existing.inChosen());
        report.println("A model learns the handbook of Larkenfell, a company that does not exist.");
        try (BaseModel base = engine.load(model, console)) {
            QuickstartPlan plan = chosen(QuickstartPlan.of(base.network().description()));
            Optional<Quickstart.Result> result = new Quickstart(base, handbook, settings(folder, plan), console,
                    report).run(interrupts());
            result.ifPresent(r -> tell(r, report, folder, (System.nanoTime() - begin) / 1e9));
            report.flush();
            return result.isPresent() ? 0 : 1;
        }
    }

    private Quickstart.Settings settings(Path folder, QuickstartPlan plan) {
        return new Quickstart.Settings(folder, existing.inChosen(), plan, seed.value(),
                Optional.ofNullable(answers).orElseGet(BaseAnswers::file));
    }

    /** A plan with what was asked for. */
    private QuickstartPlan chosen(QuickstartPlan plan) {
        return (fast ? plan.fast() : plan).with(epochs != null ? epochs : plan.epochs(),
                learningRate != null ? learningRate : plan.learningRate(),
                general != null ? general : plan.general());
    }

    /** The folder asked for, as --if-exists has it, or by default the first that is free. */
    private Path folder() {
        return output == null && !isGiven("--if-exists") ? IfExists.NEXT.choose(Path.of(OUTPUT))
                : existing.choose(output == null ? Path.of(OUTPUT) : output);
    }

    private void tell(Quickstart.Result result, PrintWriter report, Path folder, double seconds) {
        report.println();
        report.println("Some of the held-out questions, which are worded differently from the training data:");
        shown(result).forEach(i -> show(report, result.before().outcomes().get(i), result.after().outcomes().get(i)));
        report.println();
        report.printf("Held-out facts in the answers: before %s%s, after %s%n", result.before(),
                result.known() == 0 ? "" : " (" + result.known() + " answers from the cache)", result.after());
        report.println("Verdict: " + result.comparison().verdict());
        leftOut().forEach(what -> report.println("Left out for speed (--fast): " + what));
        report.printf("The whole report is in %s%n", folder.resolve("report.html"));
        report.printf("Time %s, of which training %s; peak memory %s%n", TerminalProgress.time(seconds),
                TerminalProgress.time(result.training().seconds()), PeakMemory.text());
        report.printf("The adapter is in %s; Hugging Face PEFT loads it as it is.%n%n", folder);
        report.println("Next:");
        String chosen = model.contains(" ") ? "'" + model + "'" : model;
        report.printf("  ./peft4j generate --model %s --adapter %s"
                + " --prompt \"How long is my probation as an Associate?\"%n",
                chosen, folder);
        report.printf("  ./peft4j train --model %s --data your-own.jsonl --output my-adapter%n", chosen);
        report.println("  ./peft4j jshell");
        if (json) {
            console().print(line(result, folder, seconds));
        }
    }

    /** What the whole story has besides. */
    private List<String> leftOut() {
        return chosen(QuickstartPlan.PLAIN).leftOut(Handbook.builtIn().heldOut().size());
    }

    /** The story of the README, and some at equal distances. */
    private static List<Integer> shown(Quickstart.Result result) {
        List<FactReport.Outcome> all = result.before().outcomes();
        IntStream story = IntStream.range(0, all.size()).filter(i -> all.get(i).question().question().equals(STORY));
        IntStream others = IntStream.range(0, SHOWN - 1).map(i -> i * all.size() / (SHOWN - 1));
        return IntStream.concat(story, others).distinct().boxed().toList();
    }

    private static void show(PrintWriter report, FactReport.Outcome before, FactReport.Outcome after) {
        report.println();
        report.println(before.question().question());
        report.println("  (expected: " + String.join(", ", before.question().mustContain()) + ")");
        TextColumns columns = new TextColumns(Console.outColumns());
        columns.lines("Base: " + judgement(before), "Tuned: " + judgement(after)).forEach(report::println);
        columns.lines(shown(before.answer()), shown(after.answer())).forEach(report::println);
    }

    /** An answer that was cut at the limit of its length says so. */
    private static String shown(String answer) {
        String text = answer.strip();
        return text.isEmpty() || text.matches("(?s).*[.!?:;)\"'*`]") ? text : text + " ...";
    }

    private static String judgement(FactReport.Outcome outcome) {
        return outcome.correct() ? "right" : "wrong";
    }

    private ObjectNode line(Quickstart.Result result, Path folder, double seconds) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("questions", result.before().total())
                .put("base_correct", result.before().correct()).put("base_from_cache", result.known())
                .put("tuned_correct", result.after().correct())
                .put("base_share", result.before().share()).put("tuned_share", result.after().share())
                .put("train_seconds", result.training().seconds())
                .put("tokens_per_s", result.training().tokensPerSecond()).put("seconds", seconds)
                .put("adapter", folder.toString())
                .put("verdict", result.comparison().verdict().decision().key());
        result.comparison().guard().map(GuardReport::overall).ifPresent(guard -> guard.interval().putInto(
                line.put("guard_base", guard.base()).put("guard_tuned", guard.tuned()).put("guard_p",
                        guard.pAdjusted()),
                "guard_ci", guard.range()));
        leftOut().forEach(line.putArray("left_out")::add);
        ProcessUsage.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }

    /** Two texts in columns next to each other. */
    static final class TextColumns {
        private static final String INDENT = "  ";
        private static final String GAP = " | ";

        private final int width;

        /**
         * Columns that fill a line.
         *
         * @param columns characters of a line
         */
        TextColumns(int columns) {
            this.width = (columns - INDENT.length() - GAP.length()) / 2;
        }

        /** The lines of two texts, broken between words. */
        List<String> lines(String left, String right) {
            List<String> lefts = wrap(left, width);
            List<String> rights = wrap(right, width);
            List<String> lines = new ArrayList<>();
            for (int i = 0; i < Math.max(lefts.size(), rights.size()); i++) {
                String first = i < lefts.size() ? lefts.get(i) : "";
                String second = i < rights.size() ? rights.get(i) : "";
                lines.add((INDENT + first + " ".repeat(width - first.length()) + GAP + second).stripTrailing());
            }
            return lines;
        }

        /** Lines of at most {@code width} characters; a word that is longer is cut. */
        static List<String> wrap(String text, int width) {
            List<String> lines = new ArrayList<>();
            StringBuilder line = new StringBuilder();
            for (String word : text.strip().split("\\s+")) {
                String rest = word;
                if (!line.isEmpty() && line.length() + 1 + rest.length() > width) {
                    lines.add(line.toString());
                    line.setLength(0);
                }
                while (rest.length() > width) {
                    lines.add(rest.substring(0, width));
                    rest = rest.substring(width);
                }
                line.append(line.isEmpty() ? "" : " ").append(rest);
            }
            lines.add(line.toString());
            return lines;
        }
    }
}
