package io.peft4j.data.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A query with texts, and how relevant each of them is to it.
 *
 * @param query what is searched for
 * @param texts at least one
 * @param relevance of each of them: 1 where it answers the query and 0 where it does not, or a degree; from 0 on
 */
public record RankedQuery(String query, List<String> texts, List<Double> relevance) {
    /**
     * Copies the lists.
     *
     * @throws ConfigurationException when they have not as many entries, none, or a relevance below 0
     */
    public RankedQuery {
        Objects.requireNonNull(query, "query");
        texts = List.copyOf(texts);
        relevance = List.copyOf(relevance);
        if (texts.isEmpty() || texts.size() != relevance.size()
                || !relevance.stream().allMatch(value -> value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new ConfigurationException("a query needs texts, and for each a relevance from 0 on; got "
                    + texts.size() + " texts and " + relevance);
        }
    }

    /** The anchor of a pair as the query, its positive as the only relevant text. */
    public static RankedQuery of(TextPair pair) {
        List<String> texts = new ArrayList<>(List.of(pair.positive()));
        texts.addAll(pair.negatives());
        List<Double> relevance = new ArrayList<>(Collections.nCopies(texts.size(), 0.0));
        relevance.set(0, 1.0);
        return new RankedQuery(pair.anchor(), texts, relevance);
    }

    /** Rows with a label are one query where they have the same first text; each of the others is one of its own. */
    static List<RankedQuery> read(OpenRows file) {
        List<RankedQuery> queries = new ArrayList<>();
        Map<String, RankedQuery> labelled = new LinkedHashMap<>();
        TaskRows.read(file, "\"query\", \"positive\" and \"negatives\"", row -> {
            RankedQuery one = of(row);
            return row.fields().containsKey("text_pair") ? labelled.merge(one.query, one, RankedQuery::with)
                    : queries.add(one);
        });
        queries.addAll(labelled.values());
        return queries;
    }

    static RankedQuery of(DataRow row) {
        if (row.fields().containsKey("documents")) {
            return of(row, TaskRows.text(row, "query"), TaskRows.list(row, "documents"), TaskRows.list(row, "labels"));
        }
        return !row.fields().containsKey("text_pair") ? of(TaskRows.pair(row)) : of(row, TaskRows.text(row, "text"),
                List.of(TaskRows.text(row, "text_pair")), List.of(String.valueOf(row.fields().get("label"))));
    }

    private static RankedQuery of(DataRow row, String query, List<String> texts, List<String> labels) {
        try {
            return new RankedQuery(query, texts, labels.stream().map(label -> label.equals("true") ? 1.0
                    : label.equals("false") ? 0.0 : Double.valueOf(label)).toList());
        } catch (NumberFormatException | ConfigurationException e) {
            throw row.wrong("has " + texts.size() + " texts with the labels " + labels + "; a text needs a label, its "
                    + "relevance, which is a number from 0 on");
        }
    }

    private RankedQuery with(RankedQuery other) {
        List<String> all = new ArrayList<>(texts);
        all.addAll(other.texts);
        List<Double> each = new ArrayList<>(relevance);
        each.addAll(other.relevance);
        return new RankedQuery(query, all, each);
    }
}
