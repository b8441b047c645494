package io.peft4j.models.architecture;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Slot;
import java.util.List;

/** A network that was built from a checkpoint. Owns its weights. */
public abstract class LoadedNetwork implements Network {
    private final ModelDescription description;
    private final List<Slot> slots;
    private final List<AutoCloseable> weights;

    /**
     * A network.
     *
     * @param slots its places
     * @param weights what is closed with it
     */
    protected LoadedNetwork(ModelDescription description, List<Slot> slots,
            List<? extends AutoCloseable> weights) {
        this.description = description;
        this.slots = List.copyOf(slots);
        this.weights = List.copyOf(weights);
    }

    @Override
    public final ModelDescription description() {
        return description;
    }

    @Override
    public final List<Slot> slots() {
        return slots;
    }

    @Override
    public final void close() {
        CloseAll.all(weights);
    }

    @Override
    public final String toString() {
        return getClass().getSimpleName() + " " + description;
    }
}
