package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.weight.RowEncoder;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.rescue.Inventory;
import io.peft4j.serve.rescue.Rescue;
import io.peft4j.serve.rescue.RescueOptions;
import io.peft4j.serve.rescue.RescueReport;
import io.peft4j.serve.rescue.RescuedModel;
import io.peft4j.serve.rescue.Service;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j rescue}: tuned models of a service, brought home. */
@Command(name = "rescue", sortOptions = false, description = {"Brings tuned models home from a service that speaks "
        + "OpenAI's API, while it still answers.",
    "Downloads their data, records their answers to held-out questions, trains the same data here, asks the new models "
            + "the same, and writes rescue.html. A stopped rescue is resumed. Exit status 1 if something could "
            + "not be had, or an assertion fails."})
final class RescueCommand extends PeftCommand {
    private static final String DEFAULT_KEY = "OPENAI_API_KEY";

    @Option(names = "--from", required = true, paramLabel = "URL",
            description = "Where the service's API begins, with its /v1.")
    private String from;

    @Option(names = "--api-key-env", paramLabel = "NAME", defaultValue = DEFAULT_KEY,
            description = "The environment variable that holds the key. Default: ${DEFAULT-VALUE}")
    private String keyVariable;

    @Option(names = "--model", paramLabel = "ID|DIR|FILE.gguf",
            description = "The base model that is tuned here. Not needed with --list or --no-train.")
    private String model;

    @Option(names = "--output", paramLabel = "DIR", description = "Folder for everything. Not needed with --list.")
    private Path output;

    @Option(names = "--list", description = "Only lists tuned models and the days that are left.")
    private boolean listed;

    @Option(names = "--tuned", paramLabel = "NAME",
            description = "A tuned model; may be given repeatedly. Default: all")
    private List<String> tuned = List.of();

    @Option(names = "--no-train", description = "Fetches data and answers, and trains nothing: done when all of them "
            + "are there.")
    private boolean untrained;

    @Option(names = "--questions", paramLabel = "N", defaultValue = "50",
            description = "Most questions that a model is asked. Default: ${DEFAULT-VALUE}")
    private int questions;

    @Option(names = "--samples", paramLabel = "N", defaultValue = "3",
            description = "Answers to each question: the likeliest, and others that are drawn. "
                    + "Default: ${DEFAULT-VALUE}")
    private int samples;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "256",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Option(names = "--decisions", description = "Trains models whose answers are few and short to choose between "
            + "them, with probabilities. They are served by /v1/decisions, not as chats.")
    private boolean decisions;

    @Option(names = "--prompts", paramLabel = "FILE",
            description = "Chats whose questions are asked. Default: the validation file, or rows that are held out")
    private Path prompts;

    @Option(names = "--assertions", paramLabel = "FILE",
            description = "Assertions in the form of Promptfoo or OpenAI's Evals that the new models must pass.")
    private Path assertions;

    @Mixin
    private JudgeOptions judge;

    @Option(names = "--merge", paramLabel = "TYPE", description = "Also writes base and adapter as one GGUF file, "
            + "merged.gguf, with matrices of this type: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1 or q4_0.")
    private String merge;

    @Option(names = "--prove", description = "Asks the questions before, and again of what is read back from "
            + "the merged file; none is written where too many answers are lost.")
    private boolean prove;

    @Option(names = "--allow-loss", paramLabel = "POINTS", defaultValue = "2", description = "How many points, percent "
            + "of the questions, fewer may be right. Default: ${DEFAULT-VALUE}")
    private double mostLoss;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        Service service = fromOptions(() -> Service.at(from));
        service = JudgeOptions.key(keyVariable).map(service::withKey).orElse(service);
        if (listed) {
            list(Rescue.inventory(service));
            return 0;
        }
        requireWith("--merge", List.of("--prove"));
        requireWith("--prove", List.of("--allow-loss"));
        if (!(mostLoss >= 0 && mostLoss <= 100)) {
            throw usage("--allow-loss is " + mostLoss + "; it must be from 0 to 100 points");
        }
        if (output == null) {
            throw usage("--output is needed, unless --list is given");
        }
        if (model == null && !untrained) {
            throw usage("--model is needed, unless --list or --no-train is given");
        }
        RescueOptions options = fromOptions(this::options);
        Console console = console();
        if (untrained) {
            return run(Rescue.from(service, output), options, console);
        }
        try (BaseModel base = engine.load(model, console)) {
            return run(Rescue.from(service, base, output), options, console);
        }
    }

    private int run(Rescue rescue, RescueOptions options, Console console) {
        RescueReport report = rescue.run(options, text -> console.say("%s", text));
        if (json.isGiven()) {
            console.print(report.toJson());
        }
        report.models().forEach(one -> say(console, one, report));
        report.faults().forEach(fault -> console.say("fault: %s", fault));
        console.say("report:     %s", output.resolve(RescueReport.PAGE));
        return report.isComplete() ? 0 : 1;
    }

    private RescueOptions options() {
        RescueOptions options = RescueOptions.defaults().withOnly(tuned).withQuestions(questions).withSamples(samples)
                .withMaxNewTokens(maxNewTokens);
        options = untrained ? options.withTrain(false) : options;
        options = merge == null ? options : options.withMerge(new RescueOptions.Merge(RowEncoder.type(merge), prove
                ? OptionalDouble.of(mostLoss) : OptionalDouble.empty()));
        options = decisions ? options.withDecisions(true) : options;
        options = prompts == null ? options : options.withPrompts(prompts);
        options = assertions == null ? options : options.withAssertions(assertions);
        return judge.endpoint(JudgeOptions.KEY, this::usage).map(options::withJudge).orElse(options);
    }

    private void list(Inventory inventory) {
        Instant now = Instant.now();
        inventory.models().forEach(one -> {
            if (json.isGiven()) {
                ObjectNode line = CommandJson.MAPPER.createObjectNode().put("model", one.name()).put("base", one.base())
                        .put("job", one.job().orElse(null)).put("training_file", one.trainingFile().orElse(null));
                one.daysLeft(now).ifPresent(days -> line.put("days_left", days));
                console().print(line);
            } else {
                console().print(one.name() + one.daysLeft(now).stream().mapToObj(days -> ", " + days + " days left")
                        .findFirst().orElse("") + one.trainingFile().map(file -> ", learned " + file).orElse(""));
            }
        });
        inventory.faults().forEach(fault -> console().say("fault: %s", fault));
    }

    private static void say(Console console, RescuedModel one, RescueReport report) {
        String quality = one.comparison().map(comparison -> String.format(java.util.Locale.ROOT,
                "%.0f %% right before, %.0f %% now; %s", 100 * comparison.before(), 100 * comparison.after(),
                comparison.verdict()))
                .orElse("not compared");
        one.merged().ifPresent(merged -> console.say("%s: %s%s", one.model().name(), merged.file()
                .map(file -> "merged into " + file).orElse("not merged"),
                merged.told().isEmpty() ? ""
                        : ": " + merged.told()));
        console.say("%s: %s%s", one.model().name(), !report.isDone(one) ? "not rescued" : report.base().isPresent()
                ? "rescued, " + quality : "fetched, " + Count.of(one.rows(), "row") + " and "
                        + Count.of(one.answers(), "answer"),
                Optional.of(one.faults()).filter(faults -> !faults.isEmpty()).map(faults -> "; " + String.join("; ",
                        faults)).orElse(""));
    }
}
