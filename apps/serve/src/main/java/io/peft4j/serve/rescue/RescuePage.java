package io.peft4j.serve.rescue;

import io.peft4j.core.error.Count;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Tone;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A rescue as one HTML page: quality, speed, and what to check by hand. */
final class RescuePage {
    private static final int MOST_ITEMS = 50;

    private RescuePage() {
    }

    static String html(RescueReport report, Instant now) {
        long done = report.models().stream().filter(report::isDone).count();
        Page page = Page.titled("Rescued models").add(Blocks.banner(report.isComplete() ? Tone.GOOD : Tone.OPEN,
                done + " of " + report.models().size() + (report.base().isPresent() ? " tuned models stand here now"
                        : " tuned models have their data and answers here"),
                report.base().map(base -> "Trained on " + base + "; old and new answers to the same questions are "
                        + "compared below.").orElse("No training was requested; a rescue with training continues "
                                + "from here.")));
        if (!report.faults().isEmpty()) {
            page.add(Blocks.points(Tone.BAD, "What the service would not tell", report.faults()));
        }
        report.models().forEach(model -> page.add(card(model, now)));
        return page.html();
    }

    private static Html card(RescuedModel model, Instant now) {
        List<Object> content = new ArrayList<>(List.of(Blocks.facts(facts(model, now))));
        if (!model.faults().isEmpty()) {
            content.add(Blocks.points(Tone.BAD, "What could not be had", model.faults()));
        }
        model.comparison().ifPresent(comparison -> content.addAll(quality(comparison)));
        model.assertions().filter(outcome -> !outcome.failures().isEmpty()).ifPresent(
                outcome -> content.add(Blocks.points(Tone.BAD, outcome.failures().size() + " assertions fail",
                        outcome.failures())));
        return Blocks.card(model.model().name(), content.toArray());
    }

    private static Map<String, Object> facts(RescuedModel model, Instant now) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("Was tuned from", model.model().base());
        model.model().daysLeft(now).ifPresent(days -> facts.put("Days left", days));
        facts.put("Rows of training data", model.rows());
        facts.put("Golden answers", model.answers());
        model.adapter().ifPresent(path -> {
            facts.put("Adapter", path);
            facts.put("Serve it", "peft4j serve --adapter '" + model.model().name() + "=" + path + "' ...");
        });
        model.merged().ifPresent(merged -> facts.put("Merged", Stream.of(merged.file().map(Path::toString).orElse(
                "refused"), merged.told()).filter(text -> !text.isEmpty()).collect(Collectors.joining(": "))));
        model.comparison().ifPresent(comparison -> {
            facts.put("Right answers", percent(comparison.before()) + " before, " + percent(comparison.after())
                    + " now, difference " + points(comparison.after() - comparison.before()) + " ["
                    + points(comparison.difference().low()) + ", " + points(comparison.difference().high()) + "], "
                    + Count.of(comparison.questions(), "question"));
            facts.put("Verdict", comparison.verdict());
            facts.put("Time of an answer", String.format(Locale.ROOT, "%.2f s before, %.2f s now",
                    comparison.secondsBefore(), comparison.secondsAfter()));
        });
        model.assertions().ifPresent(outcome -> facts.put("Assertions", outcome.passed() + " hold, "
                + outcome.failures().size() + " fail"));
        return facts;
    }

    private static List<Object> quality(ModelComparison comparison) {
        List<Object> parts = new ArrayList<>();
        if (!comparison.lost().isEmpty()) {
            parts.add(Html.tag("h3", "Answers that were lost: check these by hand"));
            parts.add(table(comparison.lost()));
        }
        if (!comparison.won().isEmpty()) {
            parts.add(Html.tag("h3", "Answers that are right now and were not"));
            parts.add(table(comparison.won()));
        }
        return parts;
    }

    private static Html table(List<ModelComparison.Item> items) {
        Table table = Table.of("Question", "Expected", "Before", "Now", "Right before", "Right now").texts(0, 1, 2, 3);
        items.stream().limit(MOST_ITEMS).forEach(item -> table.row(item.question(), item.expected(), item.before(),
                item.after(), percent(item.rightBefore()), percent(item.rightAfter())));
        return table.html();
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    private static String points(double difference) {
        return String.format(Locale.ROOT, "%+.0f", 100 * difference);
    }
}
