package io.peft4j.models.encoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.BatchChecks;
import io.peft4j.models.architecture.FeedForward;
import io.peft4j.models.architecture.LoadedNetwork;
import io.peft4j.models.architecture.PooledNetwork;
import io.peft4j.models.architecture.Pooler;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.SentenceVectors;
import io.peft4j.models.architecture.TaskPlan;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** An encoder of any family with the head of its task. Built by {@link EncoderBuilder}; owns its weights. */
final class EncoderNetwork extends LoadedNetwork implements PooledNetwork {
    private final TaskPlan plan;
    private final Parts parts;
    private final List<String> fresh;

    /**
     * The parts in the order of the computation.
     *
     * @param head the layers of the head; none where hidden states are pooled
     * @param vectors what pools them
     */
    record Parts(TextEmbeddings embeddings, List<Slot> layers, Optional<Slot> norm, Optional<Slot> head,
            Optional<SentenceVectors> vectors) {
        /** Copies the list. */
        Parts {
            layers = List.copyOf(layers);
        }
    }

    EncoderNetwork(ModelDescription description, TaskPlan plan, Parts parts, List<Slot> slots, List<String> fresh,
            List<AutoCloseable> weights) {
        super(description, slots, weights);
        this.plan = plan;
        this.parts = parts;
        this.fresh = fresh;
    }

    @Override
    public Task task() {
        return plan.task();
    }

    @Override
    public Slot embedding() {
        return parts.embeddings().tables().get(0);
    }

    @Override
    public Optional<Slot> output() {
        return parts.head().map(head -> ((TaskHead) head.layer()).output());
    }

    @Override
    public List<String> untrained() {
        return fresh;
    }

    @Override
    public boolean sharesPrefixes() {
        return false;
    }

    @Override
    public boolean isCausal() {
        return false;
    }

    @Override
    public boolean comparesVectors() {
        return plan.task().type() == Task.Type.DECISION && parts.vectors().isPresent();
    }

    @Override
    public SentencePooling pooling() {
        return plan.pooling();
    }

    @Override
    public boolean scoresAreLogits() {
        return plan.scores().logits();
    }

    @Override
    public Variable outputs(ForwardContext given) {
        ForwardContext context = given.seeingAll();
        PackedBatch batch = context.batch();
        if (parts.vectors().isPresent()) {
            return parts.vectors().get().of(context, states(context));
        }
        Slot head = parts.head().orElseThrow();
        return switch (((TaskHead) head.layer()).rows()) {
            case FIRST -> {
                int[] rows = Pooler.firstRows(batch);
                yield head.forward(context.onRows(rows), states(context, rows));
            }
            case MEAN -> {
                Variable mean = Pooler.pooled(context.tape(), batch, states(context), SentencePooling.Mode.MEAN);
                yield head.forward(context.onRows(Pooler.firstRows(batch)), mean);
            }
            case ALL -> head.forward(context, states(context));
            case ALL_THEN_MEAN -> Pooler.pooled(context.tape(), batch, head.forward(context, states(context)),
                    SentencePooling.Mode.MEAN);
        };
    }

    @Override
    public Variable hidden(ForwardContext context) {
        return states(context.seeingAll());
    }

    @Override
    public Variable hidden(ForwardContext context, int... rows) {
        int[] wanted = IntStream.of(rows).sorted().distinct().toArray();
        Variable hidden = states(context.seeingAll(), wanted);
        return Arrays.equals(rows, wanted) ? hidden : RowOps.gatherRows(context.tape(), hidden,
                IntStream.of(rows).map(row -> Arrays.binarySearch(wanted, row)).toArray());
    }

    private Variable states(ForwardContext context) {
        Variable x = below(context, parts.layers().size());
        return normed(context, x);
    }

    /** The states of some rows, ascending. */
    private Variable states(ForwardContext context, int[] rows) {
        Slot last = parts.layers().get(parts.layers().size() - 1);
        EncoderLayer layer = (EncoderLayer) last.layer();
        if (rows.length == context.batch().rows() || context.layers().at(last) != layer
                || !layer.canSelectRows(context)) {
            return RowOps.gatherRows(context.tape(), states(context), rows);
        }
        Variable x = below(context, parts.layers().size() - 1);
        return normed(context, context.block(x, (c, input) -> layer.forward(c, input, rows)));
    }

    private Variable normed(ForwardContext context, Variable x) {
        return parts.norm().isPresent() ? context.block(x, parts.norm().get()::forward) : x;
    }

    private Variable below(ForwardContext context, int layers) {
        check(context.batch());
        Variable x = parts.embeddings().forward(context);
        for (int i = 0; i < layers; i++) {
            x = context.block(x, parts.layers().get(i)::forward, parts.layers().size() - 1 - i);
        }
        return x;
    }

    private void check(PackedBatch batch) {
        BatchChecks.requirePositions(batch, description());
        BatchChecks.requireTokens(batch, description());
        int types = parts.embeddings().types();
        for (int type : batch.types()) {
            if (types > 0 && (type < 0 || type >= types)) {
                throw new IllegalArgumentException("token type " + type + " is outside the " + types + " of "
                        + description().name());
            }
        }
    }

    /** The layers of a head, from hidden states [M, H] to its result [M, outputs]. */
    interface TaskHead extends Layer {
        /** Which hidden states it reads. */
        HeadPlan.Rows rows();

        /** The place of its last layer. */
        Slot output();
    }

    /** A head of linear layers. */
    record EncoderHead(HeadPlan.Rows rows, List<Step> steps, Slot output, float dropout) implements TaskHead {
        /** A linear layer with what follows it. */
        record Step(Slot linear, Activation activation, Optional<Slot> norm, boolean dropout) {
        }

        @Override
        public Variable forward(ForwardContext context, Variable hidden) {
            Variable x = hidden;
            for (Step step : steps) {
                Variable input = step.dropout() ? FeedForward.dropped(context, x, dropout) : x;
                Variable active = ElementwiseOps.activate(context.tape(), step.activation(),
                        step.linear().forward(context, input));
                x = step.norm().isPresent() ? step.norm().get().forward(context, active) : active;
            }
            return output.forward(context, FeedForward.dropped(context, x, dropout));
        }
    }
}
