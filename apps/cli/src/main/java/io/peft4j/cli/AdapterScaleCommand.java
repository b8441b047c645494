package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.Answerer;
import io.peft4j.lora.CombinationType;
import io.peft4j.lora.WeightedCombination;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j adapter scale}: a weaker adapter, which forgets less. */
@Command(name = "scale", sortOptions = false,
        description = {"Scales a LoRA adapter: what it changes is multiplied by a "
                + "number.",
            "With --find that is the largest number, in tenths, at which the guard set of general ability is whole."})
final class AdapterScaleCommand extends PeftCommand {
    private static final int STEPS = 10;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "The adapter.")
    private Path adapter;

    @Option(names = "--scale", paramLabel = "X", description = "The number, above 0.")
    private Double scale;

    @Option(names = "--find", description = "Finds the number: base and scaled adapter are asked the guard set.")
    private boolean find;

    @Option(names = "--allow-loss", paramLabel = "POINTS", defaultValue = "2", description = "With --find, how many "
            + "points of the guard set may be lost for it to count as whole. Default: ${DEFAULT-VALUE}")
    private double most;

    @Option(names = "--guard", paramLabel = "FILE", description = "With --find, further items of the guard set.")
    private Path guard;

    @Option(names = "--output", required = true, paramLabel = "DIR", description = "The new adapter.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Mixin
    private JsonOption json;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        requireWith("--find", List.of("--allow-loss", "--guard"));
        if (find == (scale != null)) {
            throw usage("one of --scale and --find is needed");
        }
        if (scale != null && !(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
            throw usage("--scale is " + scale + "; it must be above 0");
        }
        if (!(most >= 0 && most <= 100)) {
            throw usage("--allow-loss is " + most + "; it must be from 0 to 100 points");
        }
        Path folder = existing.choose(output);
        try (BaseModel base = engine.loadFor(model, adapter, console(), Optional.empty());
                PeftModel adapted = base.withAdapter(adapter)) {
            String name = scale == null ? found(base, adapted) : scaled(adapted, scale);
            adapted.saveAdapter(name, folder);
            if (json.isGiven()) {
                console().print(CommandJson.MAPPER.createObjectNode().put("output", folder.toString())
                        .put("scale", scale));
            } else {
                console().say("wrote %s: scaled by %s", folder, scale);
            }
        }
        return 0;
    }

    /** Adds the scaled adapter; gives its name. */
    private static String scaled(PeftModel adapted, double factor) {
        String name = "scaled-" + Math.round(1000 * factor);
        WeightedCombination.of(CombinationType.CAT).adapter(PeftModel.DEFAULT_ADAPTER, factor).addTo(adapted, name);
        return name;
    }

    /** Adds the largest scale at which the guard set is whole: less is always taken to be no worse. */
    private String found(BaseModel base, PeftModel adapted) {
        GuardSet set = guard == null ? GuardSet.builtIn() : GuardSet.builtIn().plus(GuardSet.read(guard));
        GuardReport.GuardOutcomes before = set.ask(Answerer.of(base));
        int whole = 0;
        int broken = STEPS + 1;
        for (int tenths = STEPS; broken - whole > 1; tenths = (whole + broken) / 2) {
            String name = scaled(adapted, tenths / (double) STEPS);
            MetricResult result = GuardReport.of(set.items(), before, set.ask(Answerer.of(adapted.with(name))),
                    ComparisonOptions.defaults()).overall();
            boolean kept = 100 * result.difference() >= -most;
            say(tenths, result, kept);
            whole = kept ? tenths : whole;
            broken = kept ? broken : tenths;
        }
        if (whole == 0) {
            throw new ConfigurationException("no scale from 0.1 on leaves the guard set whole: it "
                    + "loses more than " + most + " points; train with less change");
        }
        scale = whole / (double) STEPS;
        return "scaled-" + Math.round(1000 * scale);
    }

    private void say(int tenths, MetricResult result, boolean kept) {
        if (json.isGiven()) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("scale", tenths / (double) STEPS)
                    .put("guard_base", result.base()).put("guard", result.tuned()).put("whole", kept);
            result.interval().putInto(line, "ci", result.range());
            console().print(line);
            return;
        }
        console().say("scale %.1f: guard set %.1f %% against %.1f %% of the base, %s", tenths / (double) STEPS,
                100 * result.tuned(), 100 * result.base(), String.format(Locale.ROOT, "%+.1f points %s%s",
                        100 * result.difference(), result.interval().words(result.range(), value -> String.format(
                                Locale.ROOT, "%+.1f", 100 * value)),
                        kept ? ", whole" : ""));
    }
}
