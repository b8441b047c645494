package io.peft4j.models.decoder;

import java.util.List;

/** Gemma 4 for text, images and sounds: its text part. */
public final class Gemma4ImageFamily extends WrappedFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Gemma4ImageFamily() {
        super("gemma4", "gemma4_text");
    }

    @Override
    public List<String> layerNames() {
        return new Gemma4Family().layerNames();
    }
}
