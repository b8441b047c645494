package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import java.lang.ref.SoftReference;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What was computed from parameters the last time, for passes that do not train: generation would compute it again for
 * every token. Given up where memory is short.
 */
@Internal(shared = true)
public final class CachedValue {
    private float[] parameters = {};
    private SoftReference<float[]> values = new SoftReference<>(null);

    /** The values of the given parameters; computed where these have changed. Not to be written to. */
    public synchronized float[] of(INDArray current, Supplier<float[]> computation) {
        float[] now = Arrays.toFloats(current);
        float[] known = values.get();
        if (known == null || !java.util.Arrays.equals(now, parameters)) {
            known = computation.get();
            parameters = now;
            values = new SoftReference<>(known);
        }
        return known;
    }
}
