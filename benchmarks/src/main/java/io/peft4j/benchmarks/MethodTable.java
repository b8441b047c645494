package io.peft4j.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * The results of a {@link MethodStudy} as a table in Markdown, methods with most right answers first. Of each set:
 * right answers on average and from the worst to the best seed, the learning rate, and the loss on the validation part
 * with it.
 */
final class MethodTable {
    private final List<JsonNode> rows;
    private final List<String> sets;

    private MethodTable(List<JsonNode> rows) {
        this.rows = rows;
        this.sets = finals("", "").map(row -> row.get("set").asText()).distinct().toList();
    }

    /** The table. */
    static String of(List<JsonNode> rows) {
        return new MethodTable(rows).table();
    }

    private String table() {
        List<String> lines = new ArrayList<>();
        lines.add("| method | parameters | file |" + sets.stream().map(set -> " " + set + " | rate | loss |")
                .collect(Collectors.joining()) + " guard set, points | peak memory | processor time |");
        lines.add("|---|---|---|" + "---|---|---|".repeat(sets.size()) + "---|---|---|");
        finals("", "").map(row -> row.get("method").asText()).distinct()
                .sorted(Comparator.comparingDouble((String method) -> -sets.stream().mapToDouble(
                        set -> shares(method, set).average().orElse(0)).sum())
                        .thenComparingDouble(method -> sets.stream().mapToDouble(set -> loss(method, set)).sum()))
                .forEach(method -> lines.add(line(method)));
        return String.join("\n", lines) + "\n";
    }

    private String line(String method) {
        List<String> cells = new ArrayList<>(List.of(method, figure("%,.0f", values(method, "", "parameters")),
                figure("%,.0f KB", values(method, "", "file_bytes").map(bytes -> bytes / 1e3))));
        for (String set : sets) {
            double[] shares = shares(method, set).sorted().toArray();
            cells.add(shares.length == 0 ? "-" : String.format(Locale.ROOT, "%.0f %% (%.0f to %.0f)",
                    DoubleStream.of(shares).average().getAsDouble(), shares[0], shares[shares.length - 1]));
            cells.add(figure("%.2g", values(method, set, "rate").filter(rate -> rate > 0)));
            cells.add(figure("%.2f", DoubleStream.of(loss(method, set))));
        }
        cells.add(figure("%+.1f", of(method, "", row -> 100 * (row.path("guard").asDouble(Double.NaN)
                - row.path("guard_base").asDouble()))));
        cells.add(figure("%,.0f MB", values(method, "", "peak_mb")));
        cells.add(figure("%.1f s", values(method, "", "processor_s")));
        return "| " + String.join(" | ", cells) + " |";
    }

    /** The mean of the figures that are known. */
    private static String figure(String format, DoubleStream values) {
        double[] known = values.filter(Double::isFinite).toArray();
        return known.length == 0 ? "-"
                : String.format(Locale.ROOT, format, DoubleStream.of(known).average().getAsDouble());
    }

    private double loss(String method, String set) {
        double rate = values(method, set, "rate").findFirst().orElse(Double.NaN);
        return rows.stream().filter(row -> is(row, method, set) && row.get("rate").asDouble() == rate)
                .mapToDouble(row -> row.path("validation_loss").asDouble(Double.NaN)).filter(Double::isFinite)
                .findFirst().orElse(Double.NaN);
    }

    private DoubleStream shares(String method, String set) {
        return of(method, set, row -> 100.0 * row.get("right").asInt() / row.get("questions").asInt());
    }

    private DoubleStream values(String method, String set, String key) {
        return of(method, set, row -> row.path(key).asDouble(Double.NaN));
    }

    private DoubleStream of(String method, String set, Function<JsonNode, Double> value) {
        return finals(method, set).mapToDouble(value::apply);
    }

    private Stream<JsonNode> finals(String method, String set) {
        return rows.stream().filter(row -> row.get("kind").asText().equals("final") && row.has("right")
                && is(row, method, set));
    }

    private static boolean is(JsonNode row, String method, String set) {
        return (method.isEmpty() || row.get("method").asText().equals(method))
                && (set.isEmpty() || row.get("set").asText().equals(set));
    }
}
