package io.peft4j.train.runs;

import io.peft4j.report.support.Numbers;
import io.peft4j.report.support.Status;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Trainings in words, for pages. */
final class RunTexts {
    /** Values of settings that say that nothing is set. */
    private static final Set<String> UNSET = Set.of("null", "none", "\"none\"", "[]", "{}", "\"\"", "");
    private static final int SHORT = 12;

    private RunTexts() {
    }

    static String state(TrainingRecord run) {
        return switch (run.info().state()) {
            case RUNNING -> "Running";
            case FINISHED -> "Finished";
            case STOPPED -> "Stopped";
            case STOPPED_EARLY -> "Stopped early";
            case OUT_OF_TIME -> "Out of time";
            case FAILED -> "Failed";
            case INTERRUPTED -> "Interrupted";
            case UNKNOWN -> "Training, not known how it ended";
        };
    }

    static Status tone(TrainingRecord run) {
        return switch (run.info().state()) {
            case FINISHED, STOPPED_EARLY -> Status.GOOD;
            case FAILED, INTERRUPTED -> Status.BAD;
            case RUNNING, STOPPED, OUT_OF_TIME -> Status.OPEN;
            case UNKNOWN -> Status.PLAIN;
        };
    }

    /** As "120 of 400". */
    static String steps(TrainingRecord run) {
        String done = count(run.steps());
        return run.totalSteps().isPresent() && run.totalSteps().getAsLong() != run.steps()
                ? done + " of " + count(run.totalSteps().getAsLong()) : done;
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** As "3 min 20 s". */
    static String time(double seconds) {
        long whole = Math.round(seconds);
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        return whole < 3600 ? whole / 60 + " min " + whole % 60 + " s"
                : whole / 3600 + " h " + whole % 3600 / 60 + " min";
    }

    static String memory(long bytes) {
        return String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }

    /** As "first 2.31, lowest 0.84 at step 310, last 0.86". */
    static String course(MetricSeries series) {
        int lowest = series.lowest();
        return "first " + Numbers.shown(series.first()) + ", lowest " + Numbers.shown(series.values()[lowest])
                + " at step " + count(series.steps()[lowest]) + ", last " + Numbers.shown(series.last());
    }

    /** Whether a setting says something. */
    static boolean isSet(String value) {
        return !UNSET.contains(value);
    }

    static boolean isHash(String value) {
        return value.matches("[0-9a-f]{64}");
    }

    /** A setting as it is shown: of a hash the beginning, a text without the quotes that JSON has. */
    static String shown(String value) {
        return isHash(value) ? value.substring(0, SHORT) : value.replaceFirst("^\"(.*)\"$", "$1");
    }

    /** The plan of a training with the names that people have for its numbers. */
    static Map<String, String> plan(Map<String, Long> plan) {
        Map<String, Long> told = new LinkedHashMap<>(plan);
        told.remove("done_steps", 0L);
        Map<String, String> shown = new LinkedHashMap<>();
        told.forEach((name, number) -> shown.put(switch (name) {
            case "left_out" -> "left out";
            case "tokens" -> "tokens an epoch";
            case "supervised_tokens" -> "supervised tokens an epoch";
            case "steps_per_epoch" -> "steps an epoch";
            case "total_steps" -> "steps in all";
            case "done_steps" -> "steps before it was resumed";
            default -> name.replace('_', ' ');
        }, count(number) + (name.equals("left_out") && number > 0 ? ", too long or without a supervised token" : "")));
        return shown;
    }
}
