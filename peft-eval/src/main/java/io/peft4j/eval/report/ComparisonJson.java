package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.failure.FailureGroup;
import io.peft4j.eval.failure.FailureReport;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.task.Leakage;
import java.util.List;

/** The report's form for machines. */
final class ComparisonJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ComparisonJson() {
    }

    static ObjectNode of(ComparisonReport report) {
        ObjectNode node = JSON.createObjectNode().put("n", report.items().size());
        node.set("metrics", metrics(report.metrics()));
        node.putObject("verdict").put("decision", report.verdict().decision().key())
                .put("items_needed", report.verdict().itemsNeeded()).put("sentence", report.verdict().sentence());
        node.put("deciding_metric", report.metric());
        ObjectNode arms = node.putObject("arms");
        report.arms().forEach(arm -> {
            ObjectNode one = arms.putObject(arm.name()).put("description", arm.description())
                    .put("seconds", arm.seconds());
            arm.scores().forEach(one.putObject("metrics")::put);
        });
        ObjectNode others = node.putObject("other_arms");
        report.otherArms().forEach((name, metrics) -> others.set(name, metrics(metrics)));
        report.guard().ifPresent(guard -> node.set("guard", guard(guard)));
        report.leakage().ifPresent(leakage -> node.set("leakage", leakage(leakage)));
        node.set("failures", failures(report.failures()));
        report.signatures().forEach(node.putObject("signatures")::put);
        report.facts().forEach(node.putObject("facts")::put);
        return node;
    }

    private static ObjectNode metrics(List<MetricResult> results) {
        ObjectNode metrics = JSON.createObjectNode();
        results.forEach(result -> metrics.set(result.name(), metric(result)));
        return metrics;
    }

    private static ObjectNode metric(MetricResult result) {
        ObjectNode node = JSON.createObjectNode();
        node.put("base", result.base()).put("tuned", result.tuned()).put("difference", result.difference());
        node.put("ci_low", result.interval().low()).put("ci_high", result.interval().high());
        node.put("p_value", result.pValue()).put("p_adjusted", result.pAdjusted()).put("test", result.test());
        node.put("n", result.items());
        // JSON has no infinity: all answers got better by the same amount, or there is one item only.
        if (Double.isFinite(result.effectSize())) {
            node.put("effect_size", result.effectSize());
        }
        if (Double.isFinite(result.detectable())) {
            node.put("detectable_difference", result.detectable());
        }
        return node;
    }

    private static ObjectNode guard(GuardReport guard) {
        ObjectNode node = JSON.createObjectNode().put("items", guard.items());
        node.set("overall", metric(guard.overall()));
        node.set("parts", metrics(guard.parts()));
        return node;
    }

    private static ObjectNode leakage(Leakage leakage) {
        ObjectNode node = JSON.createObjectNode().put("leaked", leakage.count());
        ArrayNode pairs = node.putArray("items");
        leakage.pairs().forEach(pair -> pairs.addObject().put("row", pair.item() + 1)
                .put("question", pair.question()).put("training", pair.place()));
        return node;
    }

    private static ObjectNode failures(FailureReport failures) {
        ObjectNode node = JSON.createObjectNode().put("wrong", failures.wrong().size())
                .put("regressions", failures.regressions().size());
        ArrayNode groups = node.putArray("groups");
        for (FailureGroup group : failures.groups()) {
            ObjectNode one = groups.addObject().put("common", group.common()).put("items", group.items().size())
                    .put("of", group.itemsLikeThese()).put("collect", group.examplesToCollect());
            group.items().forEach(item -> one.withArray("rows").add(item + 1));
        }
        return node;
    }
}
