package io.peft4j.core.peft;

import io.peft4j.core.Internal;
import io.peft4j.core.io.Closer;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import java.util.function.Consumer;

/** Adapters whose values are computed from those of others. */
@Internal(shared = true)
public final class DerivedAdapter {
    private DerivedAdapter() {
    }

    /**
     * Adds an adapter to a model and fills it; what is active does not change. Where filling it fails, the model is
     * left as it was.
     *
     * @param filling writes the new adapter's values
     */
    public static void add(PeftModel model, String name, PeftConfig config, Consumer<Adapter> filling) {
        model.addAdapter(name, config);
        try (Closer added = new Closer()) {
            added.add(() -> model.deleteAdapter(name));
            filling.accept(model.adapter(name));
            added.keep();
        }
    }
}
