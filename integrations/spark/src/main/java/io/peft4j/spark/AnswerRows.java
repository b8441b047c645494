package io.peft4j.spark;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.PromptRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;

/**
 * The rows of a partition with answers. A task answers some hundred rows in its turn, so that questions of similar
 * length share a batch; meanwhile others read, encode and write rows.
 */
final class AnswerRows implements Iterator<Row> {
    private static final int ROWS = 512;
    /** Far enough apart that no two rows draw alike. */
    private static final long PARTITIONS_APART = 1L << 40;

    private final Iterator<Row> rows;
    private final RowPlan plan;
    private final AnswerSettings settings;
    private final LoadedModel loaded;
    private final boolean chats;
    private final TaskContext task = TaskContext.get();
    private long place = task.partitionId() * PARTITIONS_APART;
    private Iterator<Row> ready = List.<Row>of().iterator();

    private AnswerRows(Iterator<Row> rows, RowPlan plan, AnswerSettings settings, boolean plain, LoadedModel loaded) {
        this.rows = rows;
        this.plan = plan;
        this.settings = settings;
        this.loaded = loaded;
        if (!plan.byRow()) {
            loaded.requireKnown(plan.adapter());
        }
        this.chats = !plain && loaded.with(PeftModel.BASE).chatTemplate().isPresent();
    }

    /** The rows of a partition with answers, to be read on the thread of its task. */
    public static Iterator<Row> of(Iterator<Row> rows, ModelRecipe recipe, RowPlan plan, AnswerSettings settings,
            boolean plain) {
        return new AnswerRows(rows, plan, settings, plain, SharedModels.ofTask(recipe));
    }

    @Override
    public boolean hasNext() {
        if (!ready.hasNext() && rows.hasNext()) {
            List<Row> chunk = new ArrayList<>();
            while (chunk.size() < ROWS && rows.hasNext()) {
                chunk.add(rows.next());
            }
            ready = answer(chunk).iterator();
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

    private List<Row> answer(List<Row> chunk) {
        Row[] results = new Row[chunk.size()];
        List<Integer> good = new ArrayList<>();
        List<Prompt> prompts = new ArrayList<>();
        List<String> adapters = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            Row row = chunk.get(i);
            try {
                String adapter = plan.adapterOf(row);
                prompts.add(loaded.encode(adapter, PromptRows.of(plan.read(row), chats)));
                adapters.add(adapter);
                good.add(i);
            } catch (ClosedException e) {
                throw e;
            } catch (PeftException e) {
                results[i] = plan.without(row, 1, e);
            }
        }
        List<Completion> answers = generate(prompts, adapters);
        for (int i = 0; i < answers.size(); i++) {
            results[good.get(i)] = RowPlan.with(chunk.get(good.get(i)), List.of(answers.get(i).text()));
        }
        return Arrays.asList(results);
    }

    private List<Completion> generate(List<Prompt> prompts, List<String> adapters) {
        GenerationOptions options = settings.from(place).withListener((answer, piece) -> !task.isInterrupted());
        place += prompts.size();
        try {
            List<Completion> answers = loaded.generate(prompts, adapters, options);
            if (task.isInterrupted()) {
                throw new CancellationException("the task was cancelled");
            }
            return answers;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the task was cancelled");
        }
    }
}
