package io.peft4j.core.peft;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Puts the values of an adapter's folder into the arrays of an adapter that there is. The folder is loaded and checked
 * first, so a file that does not fit changes nothing; it is opened once, so what was checked is what is taken.
 */
final class HotSwap {
    private static final int MOST_LISTED = 10;

    private HotSwap() {
    }

    /** All tensors of an adapter. */
    static Stream<AdapterTensor> tensors(Adapter adapter) {
        return Stream.concat(adapter.layers().stream().flatMap(layer -> layer.tensors().stream()),
                adapter.sharedTensors().stream());
    }

    /**
     * The adapter of the folder, in the parameters of {@code present}, whose layers must not run any more. Parameters
     * that it does not need are freed, and so is what was held beside them.
     *
     * @param check looks whether the folder's adapter can take the place of the one that is there; it refuses before
     *     anything is changed
     */
    static AdapterCheckpoint run(AdapterCheckpoint present, Path folder, BaseLanguageModel base,
            Consumer<Adapter> check) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        tensors(present.adapter()).forEach(t -> parameters.put(t.parameter().name(), t.parameter()));
        Map<String, Parameter> wanted = new LinkedHashMap<>();
        try (AdapterFiles files = AdapterFiles.open(folder)) {
            AdapterCheckpoint loaded = files.load(base);
            try {
                requireFit(folder, present.adapter(), loaded.adapter(), parameters);
                check.accept(loaded.adapter());
                tensors(loaded.adapter()).forEach(t -> wanted.put(t.parameter().name(),
                        parameters.get(t.parameter().name())));
            } finally {
                loaded.adapter().close();
            }
            Adapter swapped = files.loadInto(base, wanted);
            present.adapter().closeDerived();
            parameters.keySet().removeAll(wanted.keySet());
            parameters.values().forEach(Parameter::close);
            wanted.values().forEach(Parameter::clearGradient);
            return new AdapterCheckpoint(swapped, loaded.baseCopies());
        }
    }

    private static void requireFit(Path folder, Adapter present, Adapter loaded, Map<String, Parameter> parameters) {
        String method = present.config().peftType();
        if (!loaded.config().peftType().equals(method)) {
            throw new ConfigurationException("cannot swap " + folder + " in: it is of the method "
                    + loaded.config().peftType() + ", the adapter that is there of " + method
                    + "; load it under a name of its own");
        }
        List<String> misfits = new ArrayList<>();
        tensors(loaded).forEach(tensor -> {
            Parameter there = parameters.get(tensor.parameter().name());
            long[] shape = tensor.parameter().value().shape();
            if (there == null) {
                misfits.add(tensor.parameter().name() + " is not adapted there");
            } else if (!Arrays.equals(there.value().shape(), shape)) {
                misfits.add(tensor.parameter().name() + " is " + Arrays.toString(shape) + ", there "
                        + Arrays.toString(there.value().shape()));
            }
        });
        if (!misfits.isEmpty()) {
            throw new AdapterMismatchException("cannot swap " + folder + " in without new memory; it may adapt fewer "
                    + "layers than the adapter that is there, not others, and must have its ranks:\n  "
                    + String.join("\n  ", misfits.subList(0, Math.min(MOST_LISTED, misfits.size())))
                    + (misfits.size() > MOST_LISTED ? "\n  and " + (misfits.size() - MOST_LISTED) + " more" : ""));
        }
    }
}
