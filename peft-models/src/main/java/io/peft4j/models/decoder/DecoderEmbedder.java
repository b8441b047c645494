package io.peft4j.models.decoder;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LoadedNetwork;
import io.peft4j.models.architecture.PooledNetwork;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.SentenceVectors;
import io.peft4j.models.architecture.TaskPlan;
import java.util.List;
import java.util.Optional;

/** A decoder without an output layer, whose hidden states become a vector of each text. */
final class DecoderEmbedder extends LoadedNetwork implements PooledNetwork {
    private final DecoderNetwork body;
    private final TaskPlan plan;
    private final SentenceVectors vectors;
    private final boolean seesAll;
    private final Optional<Slot> projection;

    /**
     * An embedder.
     *
     * @param seesAll whether each token sees all of its text
     * @param projection what the states of the decoder go through, if anything
     */
    DecoderEmbedder(DecoderNetwork body, TaskPlan plan, SentenceVectors vectors, boolean seesAll,
            Optional<Slot> projection) {
        super(body.description(), body.slots(), List.of(body));
        this.projection = projection;
        this.body = body;
        this.plan = plan;
        this.vectors = vectors;
        this.seesAll = seesAll;
    }

    @Override
    public Task task() {
        return plan.task();
    }

    @Override
    public Slot embedding() {
        return body.embedding();
    }

    /** The states that are pooled are those of sequences of their own. */
    @Override
    public boolean sharesPrefixes() {
        return false;
    }

    @Override
    public boolean isCausal() {
        return !seesAll;
    }

    @Override
    public SentencePooling pooling() {
        return plan.pooling();
    }

    @Override
    public Variable outputs(ForwardContext context) {
        ForwardContext seeing = seeing(context);
        return vectors.of(seeing, projected(seeing));
    }

    @Override
    public Variable hidden(ForwardContext context) {
        return projected(seeing(context));
    }

    private Variable projected(ForwardContext seeing) {
        Variable states = body.hidden(seeing);
        return projection.map(slot -> slot.forward(seeing, states)).orElse(states);
    }

    @Override
    public Variable hidden(ForwardContext context, int... rows) {
        return projection.isEmpty() ? body.hidden(seeing(context), rows)
                : RowOps.gatherRows(context.tape(), hidden(context), rows);
    }

    private ForwardContext seeing(ForwardContext context) {
        return seesAll ? context.seeingAll() : context;
    }
}
