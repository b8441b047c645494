package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Status;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a rescue brought home.
 *
 * @param base the model that is tuned here; empty if only data and answers were fetched
 * @param models the tuned models
 * @param faults what the service would not tell
 */
public record RescueReport(Optional<String> base, List<RescuedModel> models, List<String> faults) {
    /** The page in the folder of a rescue. */
    public static final String PAGE = "rescue.html";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Copies the lists. */
    public RescueReport {
        models = List.copyOf(models);
        faults = List.copyOf(faults);
    }

    /**
     * Whether there were models, and with each was done what was asked for: it is here now and passes what was
     * asserted; or, where nothing was to be trained, its data and answers are here.
     */
    public boolean isComplete() {
        return faults.isEmpty() && !models.isEmpty() && models.stream().allMatch(this::isDone);
    }

    /** Whether that was done with a model. */
    public boolean isDone(RescuedModel model) {
        return base.isPresent() ? model.isRescued() : model.isFetched();
    }

    /** The report as JSON. */
    public ObjectNode toJson() {
        ObjectNode json = JSON.createObjectNode().put("complete", isComplete());
        base.ifPresent(name -> json.put("base", name));
        faults.forEach(json.putArray("faults")::add);
        var list = json.putArray("models");
        Instant now = Instant.now();
        for (RescuedModel model : models) {
            ObjectNode one = list.addObject().put("model", model.model().name()).put("base", model.model().base())
                    .put("rows", model.rows()).put("golden_answers", model.answers()).put("rescued", model.isRescued());
            model.model().daysLeft(now).ifPresent(days -> one.put("days_left", days));
            model.adapter().ifPresent(path -> one.put("adapter", path.toString()));
            model.comparison().ifPresent(comparison -> one.set("comparison",
                    JSON.<ObjectNode>valueToTree(comparison).put("verdict", comparison.verdict())));
            model.assertions().ifPresent(outcome -> one.set("assertions", JSON.valueToTree(outcome)));
            model.merged().ifPresent(merged -> one.putObject("merged").put("file", merged.file().map(Path::toString)
                    .orElse(null)).put("told", merged.told()));
            model.faults().forEach(one.putArray("faults")::add);
        }
        return json;
    }

    /** Writes {@code rescue.json} and {@value #PAGE}. */
    void write(Path folder) {
        try {
            AtomicFiles.writeString(folder.resolve("rescue.json"),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(toJson()) + "\n");
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("cannot serialize the report", e);
        }
        AtomicFiles.writeString(folder.resolve(PAGE), RescuePage.html(this, Instant.now()));
    }

    /** A rescue as one HTML page: quality, speed, and what to check by hand. */
    private static final class RescuePage {
        private static final int MOST_ITEMS = 50;

        private RescuePage() {
        }

        static String html(RescueReport report, Instant now) {
            long done = report.models().stream().filter(report::isDone).count();
            Page page = Page.titled("Rescued models").add(Blocks.banner(report.isComplete() ? Status.GOOD : Status.OPEN,
                    done + " of " + report.models().size() + (report.base().isPresent() ? " tuned models stand here now"
                            : " tuned models have their data and answers here"),
                    report.base().map(base -> "Trained on " + base + "; old and new answers to the same questions are "
                            + "compared below.").orElse("No training was requested; a rescue with training continues "
                                    + "from here.")));
            if (!report.faults().isEmpty()) {
                page.add(Blocks.points(Status.BAD, "What the service would not tell", report.faults()));
            }
            report.models().forEach(model -> page.add(card(model, now)));
            return page.html();
        }

        private static Html card(RescuedModel model, Instant now) {
            List<Object> content = new ArrayList<>(List.of(Blocks.facts(facts(model, now))));
            if (!model.faults().isEmpty()) {
                content.add(Blocks.points(Status.BAD, "What could not be had", model.faults()));
            }
            model.comparison().ifPresent(comparison -> content.addAll(quality(comparison)));
            model.assertions().filter(outcome -> !outcome.failures().isEmpty()).ifPresent(
                    outcome -> content.add(Blocks.points(Status.BAD, outcome.failures().size() + " assertions fail",
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
                        + " now, difference " + points(comparison.after() - comparison.before()) + " "
                        + comparison.difference().words(2, RescuePage::points) + ", "
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
            Table table = Table.of("Question", "Expected", "Before", "Now", "Right before", "Right now").texts(0, 1, 2,
                    3);
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
}
