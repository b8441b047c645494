package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.TokenSequence;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks that rows of data name by {@value #KEY}, for adapters with several (Poly, multitask prompt tuning). A
 * sequence carries what its row says; whoever gives it to a model has it checked here, with the row's place at hand.
 */
@Internal(shared = true)
public final class TaskIds {
    /** The key in a row. */
    public static final String KEY = "task_id";
    /** Stands for what is no number from 0 on; no adapter has that task. */
    private static final int OTHER = -2;
    private static final Logger LOG = LoggerFactory.getLogger(TaskIds.class);

    private final LayerSelection layers;
    private final AtomicBoolean warned;

    private TaskIds(LayerSelection layers, AtomicBoolean warned) {
        this.layers = layers;
        this.warned = warned;
    }

    /** Checks tasks of rows that run through these layers. */
    public TaskIds(LayerSelection layers) {
        this(layers, new AtomicBoolean());
    }

    /** The same for other layers, which does not warn again. */
    public TaskIds in(LayerSelection others) {
        return new TaskIds(others, warned);
    }

    /** As {@link #TaskIds(LayerSelection)}, of a model as it is now. */
    public static TaskIds of(Model model) {
        try (ModelLease lease = model.lease()) {
            return new TaskIds(lease.layers());
        }
    }

    /** The task of what no row names one for, such as a probe: the adapter's own, or 0 where it has none. */
    public static int any(Model model) {
        return of(model).layers.task(TokenSequence.NO_TASK).number();
    }

    /** What a row says, a number or, in tables, its digits; {@link TokenSequence#NO_TASK} without the key. */
    public static int of(Map<String, ?> fields) {
        Object value = fields.get(KEY);
        if (value == null || value.equals("")) {
            return TokenSequence.NO_TASK;
        }
        return value.toString().matches("\\d{1,9}") ? Integer.parseInt(value.toString()) : OTHER;
    }

    /**
     * Checks the task of a row. Where no adapter has tasks, a row that names one is warned of, once.
     *
     * @param task what the row says
     * @param wrong makes the exception for a row from what is wrong with it
     * @return the task that it is computed as; {@link TokenSequence#NO_TASK} where no adapter has tasks
     */
    public int require(int task, Function<String, ? extends RuntimeException> wrong) {
        RowTask own = layers.task(task);
        own.refusal().ifPresent(why -> {
            throw wrong.apply(why);
        });
        boolean ignored = task != TokenSequence.NO_TASK && own.equals(RowTask.NONE);
        if (ignored && layers != LayerSelection.BASE && !warned.getAndSet(true)) {
            LOG.warn("{}", wrong.apply("has a " + KEY + ", which is ignored, here and in other rows: the adapter's "
                    + "method has no tasks").getMessage());
        }
        return own.number();
    }
}
