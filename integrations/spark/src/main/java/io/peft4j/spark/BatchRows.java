package io.peft4j.spark;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;

/**
 * The rows of a partition with what is computed of them, many rows at once.
 *
 * @param <T> what a row asks for
 */
final class BatchRows<T> implements Iterator<Row> {
    private static final int ROWS = 256;

    private final Iterator<Row> rows;
    private final RowPlan plan;
    private final BatchWork<T> work;
    private final int columns;
    private final LoadedModel loaded;
    private Iterator<Row> ready = List.<Row>of().iterator();

    private BatchRows(Iterator<Row> rows, RowPlan plan, BatchWork<T> work, int columns, LoadedModel loaded) {
        this.rows = rows;
        this.plan = plan;
        this.work = work;
        this.columns = columns;
        this.loaded = loaded;
        if (!plan.byRow()) {
            loaded.requireKnown(plan.adapter());
        }
    }

    /**
     * The rows of a partition with new columns, to be read on the thread of its task.
     *
     * @param columns how many there are, the one for what is wrong not counted
     */
    public static <T> Iterator<Row> of(Iterator<Row> rows, ModelRecipe recipe, RowPlan plan, BatchWork<T> work,
            int columns) {
        return new BatchRows<>(rows, plan, work, columns, SharedModels.ofTask(recipe));
    }

    @Override
    public boolean hasNext() {
        if (!ready.hasNext() && rows.hasNext()) {
            List<Row> batch = new ArrayList<>();
            while (batch.size() < ROWS && rows.hasNext()) {
                batch.add(rows.next());
            }
            ready = compute(batch).iterator();
        }
        return ready.hasNext();
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return ready.next();
    }

    private List<Row> compute(List<Row> batch) {
        Row[] results = new Row[batch.size()];
        Map<String, List<Integer>> byAdapter = new LinkedHashMap<>();
        for (int i = 0; i < results.length; i++) {
            byAdapter.computeIfAbsent(plan.adapterOf(batch.get(i)), name -> new ArrayList<>()).add(i);
        }
        byAdapter.forEach((adapter, places) -> compute(batch, adapter, places, results));
        return Arrays.asList(results);
    }

    private void compute(List<Row> batch, String adapter, List<Integer> places, Row... results) {
        List<Integer> good = new ArrayList<>();
        List<T> inputs = new ArrayList<>();
        for (int place : places) {
            try {
                inputs.add(work.input(loaded.with(adapter), plan.read(batch.get(place))));
                good.add(place);
            } catch (ClosedException e) {
                throw e;
            } catch (PeftException e) {
                results[place] = plan.without(batch.get(place), columns, e);
            }
        }
        if (!good.isEmpty()) {
            compute(loaded.with(adapter), batch, good, inputs, results);
        }
    }

    /** Halves what fails as a whole, down to the rows that are wrong. */
    private void compute(LanguageModel model, List<Row> batch, List<Integer> places, List<T> inputs, Row... results) {
        try {
            List<List<Object>> values = work.results(model, inputs);
            for (int i = 0; i < places.size(); i++) {
                results[places.get(i)] = RowPlan.with(batch.get(places.get(i)), values.get(i));
            }
        } catch (ClosedException e) {
            throw e;
        } catch (PeftException e) {
            int half = places.size() / 2;
            if (half == 0) {
                results[places.get(0)] = plan.without(batch.get(places.get(0)), columns, e);
            } else {
                compute(model, batch, places.subList(0, half), inputs.subList(0, half), results);
                compute(model, batch, places.subList(half, places.size()), inputs.subList(half, places.size()),
                        results);
            }
        }
    }
}
