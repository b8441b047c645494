package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateRangeTest;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.plan.Hyperparameters;
import io.peft4j.train.plan.LearningRateRange;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j lr-range}: which learning rate suits a training. */
@Command(name = "lr-range", sortOptions = false, description = {"Finds a learning rate for peft4j train with the same "
        + "options: trains with one that rises until the loss diverges, and suggests one. Keeps nothing.",
    "--learning-rate, --schedule, --warmup-steps, --epochs and --max-steps have no effect here."})
final class LearningRateCommand extends TrainingCommand {
    @Option(names = "--lowest", paramLabel = "X", defaultValue = "1e-6",
            description = "The first learning rate. Default: ${DEFAULT-VALUE}")
    private double lowest;

    @Option(names = "--highest", paramLabel = "X", defaultValue = "0.1",
            description = "The last learning rate. Default: ${DEFAULT-VALUE}")
    private double highest;

    @Option(names = "--range-steps", paramLabel = "N", defaultValue = "100",
            description = "Updates of the test. Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(names = "--report", paramLabel = "FILE", description = "Writes the loss over the learning rate as one "
            + "HTML page.")
    private Path report;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        checkTraining();
        DataInput.requirePlace(report, data);
        AdapterOptions.Choice choice = adapter.choice(this);
        TrainingData read = examples();
        Console console = console();
        try (BaseModel base = engine.load(model, console, source -> read.task(() -> BaseModel.taskOf(source)))) {
            TrainingData examples = on(base, read);
            Optional<Hyperparameters> chosen = chosen(base, examples, choice);
            try (PeftModel tuned = tuned(base, examples, choice.with(chosen));
                    TrainingProgress progress = new TrainingProgress(console, false)) {
                LearningRateRangeTest test = fromOptions(() -> new LearningRateRangeTest(tuned)
                        .between(lowest, highest).steps(steps));
                LearningRateRange range = test.run(builder(tuned, chosen).listener(progress),
                        trainer -> examples.train(trainer, tuned));
                progress.close();
                show(console, range);
            }
            return 0;
        }
    }

    private void show(Console console, LearningRateRange range) {
        if (report != null) {
            range.writeHtml(report);
            console.say("The report is in %s", report);
        }
        if (json.isGiven()) {
            console.print(line(range));
        } else {
            console.out().println(range.suggestion().isPresent() ? String.format(Locale.ROOT, "learning rate %s: %s",
                    range.suggestion().getAsDouble(), range.reason()) : "no suggestion: " + range.reason());
            console.checkOut();
        }
    }

    private static ObjectNode line(LearningRateRange range) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode();
        range.suggestion().ifPresent(rate -> line.put("learning_rate", rate));
        line.put("reason", range.reason()).put("lowest_loss_at", range.lowestAt());
        range.divergedAt().ifPresent(rate -> line.put("diverged_at", rate));
        ArrayNode points = line.putArray("points");
        range.points().forEach(point -> points.addObject().put("learning_rate", point.learningRate())
                .put("loss", point.loss()).put("smoothed", point.smoothed()));
        return line;
    }
}
