package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.Tiles;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one thread works with: its stream, its compiled primitives, its scratch memory and its heap arrays. Nothing of
 * it is shared, so lanes never wait for each other inside an operation.
 */
final class ThreadContext extends Tiles {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadContext.class);
    /** Primitives kept; more than a training or a generation uses. */
    private static final int MOST_CALLS = 2048;
    /** Compiling a primitive leaves up to a megabyte of freed memory behind, which the C library would keep. */
    private static final int COMPILED_BETWEEN_TRIMS = 16;
    private static final float LOAD = 0.5f;

    private final engine engine;
    private final stream stream;
    private final Scratch scratch = new Scratch();
    private final Map<MatmulSpec.Key, Optional<MatmulSpec.Shared>> shared = new HashMap<>();
    private int compiled;
    private final Set<String> refusals = new HashSet<>();
    private final Map<PrimitiveSpec, Optional<CompiledCall>> calls = new LinkedHashMap<>(256, LOAD, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<PrimitiveSpec, Optional<CompiledCall>> eldest) {
            if (size() <= MOST_CALLS) {
                return false;
            }
            eldest.getValue().ifPresent(CompiledCall::close);
            return true;
        }
    };

    ThreadContext(engine engine) {
        this.engine = engine;
        this.stream = new stream(engine);
    }

    engine engine() {
        return engine;
    }

    stream stream() {
        return stream;
    }

    /** Memory that lives until the task ends. */
    Scratch scratch() {
        return scratch;
    }

    /**
     * The compiled primitive for {@code spec}, made at the first use; empty where oneDNN has only a reference
     * implementation, which is a thousand times slower than any loop of ours.
     */
    Optional<CompiledCall> call(PrimitiveSpec spec) {
        Optional<CompiledCall> known = calls.get(spec);
        if (known == null) {
            known = spec.build(this);
            calls.put(spec, known);
            if (++compiled % COMPILED_BETWEEN_TRIMS == 0) {
                NativeMemory.trim();
            }
        }
        return known;
    }

    /** A matrix product compiled for any number of rows, made by {@code compiler} at the first use. */
    Optional<MatmulSpec.Shared> shared(MatmulSpec.Key key,
            BiFunction<ThreadContext, MatmulSpec.Key, Optional<MatmulSpec.Shared>> compiler) {
        Optional<MatmulSpec.Shared> known = shared.get(key);
        if (known == null) {
            known = compiler.apply(this, key);
            shared.put(key, known);
        }
        return known;
    }

    /** Notes that oneDNN has no fast implementation of {@code spec}; logged once a kind and lane. */
    void refused(PrimitiveSpec spec, String implementation) {
        String kind = spec.getClass().getSimpleName() + " " + implementation;
        if (refusals.add(kind)) {
            LOG.debug("oneDNN would run {} as '{}', which is slow; not used", spec, implementation);
        }
    }

    @Override
    public void close() {
        calls.values().forEach(call -> call.ifPresent(CompiledCall::close));
        calls.clear();
        shared.values().forEach(each -> each.ifPresent(s -> s.primitive().deallocate()));
        shared.clear();
        scratch.close();
        stream.deallocate();
    }
}
