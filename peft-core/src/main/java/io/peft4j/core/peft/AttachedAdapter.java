package io.peft4j.core.peft;

import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.Adapter;

/**
 * An adapter of a model, and its life: it is freed when it has been taken out of the model and the last pass through it
 * has ended.
 */
record AttachedAdapter(AdapterCheckpoint checkpoint, Lifetime lifetime) {
    static AttachedAdapter of(String name, AdapterCheckpoint checkpoint) {
        return new AttachedAdapter(checkpoint, new Lifetime("the adapter '" + name + "'", checkpoint.adapter()::close));
    }

    Adapter adapter() {
        return checkpoint.adapter();
    }
}
