package io.peft4j.spark.internal;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.PromptRows;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.PendingAnswer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The rows of a partition with answers. A task asks for the answers to some rows ahead; those of all tasks of a JVM,
 * whatever their adapters, grow in one batch.
 */
public final class AnswerRows implements Iterator<Row>, AutoCloseable {
    /** Rows that a task has asked for, for each answer that grows: when one has ended the next one is there. */
    private static final int AHEAD = 2;
    /** Far enough apart that no two rows draw alike. */
    private static final long PARTITIONS_APART = 1L << 40;

    private final Iterator<Row> rows;
    private final RowPlan plan;
    private final AnswerSettings settings;
    private final SharedModels.Use use;
    private final AnswerService service;
    private final boolean chats;
    private final String client;
    private final long firstPlace;
    private final Deque<Asked> asked = new ArrayDeque<>();
    private long taken;

    private record Asked(Row row, Optional<PendingAnswer> pending, Optional<PeftException> fault) {
    }

    private AnswerRows(Iterator<Row> rows, RowPlan plan, AnswerSettings settings, boolean plain,
            SharedModels.Use use) {
        this.rows = rows;
        this.plan = plan;
        this.settings = settings;
        this.use = use;
        if (!plan.byRow()) {
            use.model().requireKnown(plan.adapter());
        }
        this.service = use.model().answers(settings.batchSize());
        this.chats = !plain && use.model().with(PeftModel.BASE).chatTemplate().isPresent();
        TaskContext task = TaskContext.get();
        this.client = "task " + task.taskAttemptId();
        this.firstPlace = task.partitionId() * PARTITIONS_APART;
        task.addTaskCompletionListener((TaskCompletionListener) ended -> close());
    }

    /** The rows of a partition with answers, to be read on the thread of its task. */
    public static Iterator<Row> of(Iterator<Row> rows, ModelRecipe recipe, RowPlan plan, AnswerSettings settings,
            boolean plain) {
        SharedModels.Use use = SharedModels.use(recipe);
        boolean complete = false;
        try {
            AnswerRows answers = new AnswerRows(rows, plan, settings, plain, use);
            complete = true;
            return answers;
        } finally {
            if (!complete) {
                use.close();
            }
        }
    }

    @Override
    public boolean hasNext() {
        while (asked.size() < AHEAD * settings.batchSize() && rows.hasNext()) {
            asked.add(ask(rows.next()));
        }
        return !asked.isEmpty();
    }

    private Asked ask(Row row) {
        long place = firstPlace + taken++;
        try {
            String adapter = plan.adapterOf(row);
            use.model().requireKnown(adapter);
            Prompt prompt = PromptRows.of(plan.read(row), chats);
            return new Asked(row, Optional.of(service.submit(AnswerRequest.of(prompt).withAdapter(adapter)
                    .withOptions(settings.forRow(place)).withClient(client))), Optional.empty());
        } catch (PeftException e) {
            return new Asked(row, Optional.empty(), Optional.of(e));
        }
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Asked next = asked.remove();
        if (next.fault().isPresent()) {
            return plan.without(next.row(), 1, next.fault().get());
        }
        try {
            Completion completion = next.pending().orElseThrow().completions().get().get(0);
            return RowPlan.with(next.row(), List.of(completion.text()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the task was cancelled");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof PeftException fault) {
                throw fault;
            }
            throw new IllegalStateException("an answer failed", e.getCause());
        }
    }

    /** Cancels what has been asked and not read. */
    @Override
    public void close() {
        asked.forEach(one -> one.pending().ifPresent(PendingAnswer::cancel));
        asked.clear();
        use.close();
    }
}
