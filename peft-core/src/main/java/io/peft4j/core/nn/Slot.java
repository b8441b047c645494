package io.peft4j.core.nn;

import io.peft4j.core.autograd.Variable;
import java.util.Objects;

/**
 * A named place in a model, for instance {@code model.layers.0.self_attn.q_proj}, and the base layer there.
 *
 * <p>The base layer never changes. Which layer runs in a pass is the pass's choice ({@link ForwardContext#layers()}):
 * the base layer itself, or one wrapped by the active adapters. So one base serves many adapters at once.
 */
public final class Slot {
    private final String path;
    private final Layer layer;

    /**
     * A place at {@code path} that holds {@code layer}.
     *
     * @param path names joined by dots, equal to the checkpoint's tensor name without its last part ({@code weight})
     */
    public Slot(String path, Layer layer) {
        this.path = Objects.requireNonNull(path, "path");
        this.layer = Objects.requireNonNull(layer, "layer");
    }

    /** The path, as in the checkpoint. */
    public String path() {
        return path;
    }

    /** The last part of the path, for instance {@code q_proj}. */
    public String name() {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** The base layer. */
    public Layer layer() {
        return layer;
    }

    /** Runs the layer that the pass has chosen for this place. */
    public Variable forward(ForwardContext context, Variable x) {
        return context.layers().at(this).forward(context, x);
    }

    @Override
    public String toString() {
        return path + " (" + layer.getClass().getSimpleName() + ")";
    }
}
