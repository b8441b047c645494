package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.train.runs.MetricSeries;
import io.peft4j.train.runs.TrainingRecord;
import java.util.Locale;
import picocli.CommandLine.Command;

/** {@code peft4j runs}: trainings that have run or run now. */
@Command(name = "runs", sortOptions = false, description = "Shows trainings, and compares them.",
        subcommands = {RunsShowCommand.class, RunsCompareCommand.class})
final class RunsCommand extends CommandGroup {
    /** A training in one object: its state and the last value of each metric. */
    static ObjectNode line(TrainingRecord run) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("run", run.name())
                .put("state", run.info().state().word())
                .put("steps", run.steps());
        run.totalSteps().ifPresent(steps -> line.put("total_steps", steps));
        run.info().failure().ifPresent(why -> line.put("failure", why));
        if (run.unreadable() > 0) {
            line.put("damaged_lines", run.unreadable());
        }
        run.info().seconds().ifPresent(seconds -> line.put("seconds", seconds));
        run.info().peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        run.metrics().keySet().forEach(name -> run.last(name).ifPresent(value -> line.put(name, value)));
        run.tokensPerSecond().ifPresent(speed -> line.put("tokens_per_s", speed));
        return line;
    }

    static String words(TrainingRecord run) {
        StringBuilder words = new StringBuilder(run.name()).append(": ").append(run.info().state().word());
        words.append(", ").append(run.steps());
        run.totalSteps().ifPresent(steps -> words.append(" of ").append(steps));
        words.append(run.totalSteps().orElse(run.steps()) == 1 ? " step" : " steps");
        run.metric("train_loss").ifPresent(loss -> words.append(", loss ").append(fromTo(loss)));
        run.metric("eval_loss").ifPresent(loss -> words.append(", validation loss ").append(fromTo(loss)));
        if (run.unreadable() > 0) {
            words.append("; damaged lines of ").append(TrainingRecord.METRICS_FILE).append(" left out: ")
                    .append(run.unreadable());
        }
        run.info().failure().ifPresent(why -> words.append(": ").append(why));
        return words.toString();
    }

    private static String fromTo(MetricSeries series) {
        return String.format(Locale.ROOT, "%.4f -> %.4f", series.first(), series.last());
    }
}
