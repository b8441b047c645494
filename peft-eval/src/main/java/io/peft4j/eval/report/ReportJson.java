package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.report.FailureReport.FailureGroup;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.eval.report.TrainingStudy.Curve;
import io.peft4j.eval.statistics.Spread;
import io.peft4j.eval.task.ArmDetails;
import io.peft4j.eval.task.Classification;
import io.peft4j.eval.task.Consistency;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import io.peft4j.eval.task.NextEdition;
import java.util.List;
import java.util.Optional;

/** The forms of reports for machines. */
final class ReportJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ReportJson() {
    }

    static ObjectNode of(ComparisonReport report) {
        ObjectNode node = JSON.createObjectNode().put("n", report.items().size());
        node.set("metrics", metrics(report.metrics()));
        node.set("verdict", report.verdict().toJson());
        node.put("deciding_metric", report.metric());
        EvaluationItem.judgedBy(report.items()).forEach(node.putObject("judged_by")::put);
        ObjectNode arms = node.putObject("arms");
        report.arms().forEach(arm -> {
            ObjectNode one = arms.putObject(arm.name()).put("description", arm.description())
                    .put("seconds", arm.seconds());
            arm.scores().forEach(one.putObject("metrics")::put);
            Optional.ofNullable(report.decidingShares().get(arm.name()))
                    .ifPresent(share -> share.interval().orElseThrow()
                            .putInto(one.putObject("deciding").put("share", share.value()), "ci", 1));
            details(one, arm.details());
            NextEdition.of(report.items(), arm.answers()).ifPresent(edition -> one.set("edition", edition(edition)));
        });
        report.edition().ifPresent(edition -> edition.advice().forEach(node.putArray("edition_advice")::add));
        ObjectNode others = node.putObject("other_arms");
        report.otherArms().forEach((name, metrics) -> others.set(name, metrics(metrics)));
        report.guard().ifPresent(guard -> node.set("guard", guard(guard)));
        report.leakage().ifPresent(leakage -> node.set("leakage", leakage(leakage)));
        node.set("failures", failures(report.failures()));
        report.opinions().forEach(opinion -> node.withArray("opinions").add(opinion(opinion)));
        report.study().ifPresent(study -> node.set("study", study(study)));
        report.signatures().forEach(node.putObject("signatures")::put);
        report.facts().forEach(node.putObject("facts")::put);
        return node;
    }

    static ObjectNode of(TaskReport report) {
        ObjectNode node = JSON.createObjectNode().put("n", report.rows());
        node.set("metrics", metrics(report.metrics()));
        node.set("verdict", report.verdict().toJson());
        node.put("deciding_metric", report.metric());
        ObjectNode arms = node.putObject("arms");
        arm(arms.putObject(report.base().name()), report.base());
        report.verdict().untrained().forEach(way -> arms.putObject(way.name()).put("description", way.description()));
        report.otherArms().forEach((name, metrics) -> {
            node.withObject("/other_arms").set(name, metrics(metrics));
            metrics.forEach(metric -> arms.withObject("/" + name + "/scores/" + metric.name()).put("value", metric
                    .tuned()));
        });
        arm(arms.putObject(report.tuned().name()), report.tuned());
        report.curves().forEach(curve -> {
            ObjectNode lines = node.withObject("/curves").putObject(curve.title());
            curve.lines().forEach(line -> {
                ObjectNode points = lines.putObject(line.name());
                line.x().forEach(points.putArray("x")::add);
                line.y().forEach(points.putArray("y")::add);
            });
        });
        report.leakage().ifPresent(leakage -> node.set("leakage", leakage(leakage)));
        ObjectNode failures = node.putObject("failures").put("wrong", report.wrong().size()).put("regressions",
                report.wrong().stream().filter(RowAnswer::baseRight).count());
        ArrayNode rows = failures.putArray("rows");
        report.wrong().forEach(row -> rows.addObject().put("row", row.row()).put("text", row.text())
                .put("expected", row.expected()).put("base", row.base()).put("tuned", row.tuned())
                .put("right_before", row.baseRight()));
        report.facts().forEach(node.putObject("facts")::put);
        return node;
    }

    private static void arm(ObjectNode node, TaskArm arm) {
        node.put("description", arm.description());
        ObjectNode scores = node.putObject("scores");
        arm.scores().forEach((name, score) -> {
            ObjectNode one = scores.putObject(name).put("value", score.value());
            score.interval().ifPresent(interval -> interval.putInto(one, "ci", score.range()));
        });
        arm.classes().forEach(each -> {
            ObjectNode one = node.withObject("/classes").putObject(each.label()).put("precision", each.precision())
                    .put("recall", each.recall()).put("f1", each.f1());
            each.f1Interval().putInto(one, "f1_ci", 1);
            one.put("support", each.support());
        });
        arm.confusion().ifPresent(confusion -> confusion(node.putObject("confusion"), "matrix", confusion));
    }

    private static ObjectNode edition(NextEdition edition) {
        return JSON.createObjectNode().put("changed", edition.changed().size())
                .put("learned", edition.learned().size()).put("still_former", edition.stillFormer().size())
                .put("unchanged", edition.unchanged().size()).put("kept", edition.kept().size())
                .put("added", edition.added().size()).put("added_right", edition.addedRight().size());
    }

    private static ObjectNode metrics(List<MetricResult> results) {
        ObjectNode metrics = JSON.createObjectNode();
        results.forEach(result -> metrics.set(result.name(), metric(result)));
        return metrics;
    }

    private static ObjectNode metric(MetricResult result) {
        ObjectNode node = JSON.createObjectNode();
        result.putDifference(node.put("base", result.base()).put("tuned", result.tuned()));
        node.put("p_value", result.pValue()).put("p_adjusted", result.pAdjusted()).put("test", result.test());
        node.put("n", result.items()).put("scale", result.scale());
        if (result.lowerIsBetter()) {
            node.put("lower_is_better", true);
        }
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
        ObjectNode node = JSON.createObjectNode().put("items", guard.items()).put("of", guard.total());
        node.set("overall", metric(guard.overall()));
        guard.practised().ifPresent(practised -> node.set("practised", metric(practised)));
        node.set("parts", metrics(guard.parts()));
        return node;
    }

    private static ObjectNode leakage(Leakage leakage) {
        ObjectNode node = JSON.createObjectNode().put("leaked", leakage.count())
                .put("reworded", leakage.reworded().size());
        ArrayNode pairs = node.putArray("items");
        leakage.pairs().forEach(pair -> pairs.addObject().put("row", pair.item() + 1)
                .put("question", pair.question()).put("training", pair.place())
                .put("training_question", pair.training()).put("identical", pair.isIdentical()));
        return node;
    }

    private static void details(ObjectNode arm, ArmDetails details) {
        arm.put("refusal_rate", details.refusalRate());
        details.model().cut().ifPresent(cut -> arm.put("cut_answers", cut));
        details.wordings().ifPresent(wordings -> consistency(arm.putObject("wordings"), wordings));
        details.model().draws().ifPresent(draws -> consistency(arm.putObject("draws"), draws));
        details.model().likelihood().ifPresent(p -> arm.putObject("likelihood").put("loss", p.loss())
                .put("perplexity_per_token", p.perToken()).put("perplexity_per_byte", p.perByte())
                .put("nll_per_example", p.perExample()).put("tokens", p.tokens()).put("bytes", p.bytes())
                .put("examples", p.examples()));
        details.model().choices().ifPresent(choices -> arm.putObject("choices").put("acc", choices.accuracy())
                .put("acc_norm", choices.normalizedAccuracy()).put("ece", choices.calibrationError()));
        details.classes().ifPresent(classes -> classification(arm.putObject("classification"), classes));
        details.model().labelAuc().ifPresent(auc -> arm.withObject("/classification").put("roc_auc", auc));
    }

    private static void consistency(ObjectNode node, Consistency consistency) {
        node.put("groups", consistency.groups()).put("consistent", consistency.consistent())
                .put("agreement", consistency.agreement());
    }

    private static void classification(ObjectNode node, Classification classes) {
        node.put("accuracy", classes.accuracy()).put("macro_f1", classes.macroF1())
                .put("mcc", classes.matthewsCorrelation());
        confusion(node, "confusion", classes);
    }

    private static void confusion(ObjectNode node, String matrix, Classification classes) {
        classes.labels().forEach(node.putArray("labels")::add);
        ArrayNode rows = node.putArray(matrix);
        classes.confusion().forEach(row -> row.forEach(rows.addArray()::add));
    }

    private static ObjectNode opinion(JudgeReport opinion) {
        ObjectNode node = JSON.createObjectNode().put("name", opinion.name());
        opinion.counts().forEach(count -> node.withObject("/counts").putObject(count.metric())
                .put("given", count.given()).put("failed", count.failed()).put("unparsable", count.unparsable())
                .put("decided_by_position", count.inconsistent()));
        opinion.troubles().forEach(node.putArray("troubles")::add);
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
        ArrayNode doubted = node.putArray("doubted");
        failures.doubted().forEach((item, said) -> doubted.addObject().put("row", item + 1).put("lookup", said)
                .put("check", failures.check(item).orElseThrow()));
        return node;
    }

    private static ObjectNode study(TrainingStudy study) {
        ObjectNode node = JSON.createObjectNode().put("metric", study.metric());
        points(node.putArray("points"), study.points());
        study.curve().ifPresent(curve -> curve(node.putObject("curve"), curve));
        points(node.putArray("seeds"), study.seeds());
        study.spread().ifPresent(spread -> spread(node.putObject("spread"), spread));
        return node;
    }

    private static void points(ArrayNode node, List<TrainingStudy.Point> points) {
        points.forEach(point -> node.addObject().put("name", point.name()).put("examples", point.examples())
                .put("score", point.score()));
    }

    private static void curve(ObjectNode node, Curve curve) {
        node.put("exponent", curve.exponent()).put("examples", curve.examples()).put("score", curve.now().score());
        ObjectNode more = node.putObject("with_more").put("examples", curve.examples() + TrainingStudy.MORE)
                .put("score", curve.more().score());
        curve.more().interval().putInto(more, "ci", 1);
        curve.gainInterval().putInto(more, "gain", 1);
        more.put("gain", curve.gain());
    }

    private static void spread(ObjectNode node, Spread spread) {
        node.put("count", spread.count()).put("mean", spread.mean())
                .put("standard_deviation", spread.standardDeviation()).put("min", spread.min())
                .put("max", spread.max());
        spread.interval(0.95).putInto(node, "ci", 1);
    }
}
