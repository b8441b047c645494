package io.peft4j.core.peft;

import io.peft4j.core.peft.method.AdapterTensor;
import java.util.Locale;
import java.util.stream.Stream;

/** How many parameters a model with adapters has, and how many of them are trained. */
final class ParameterCounts {
    private ParameterCounts() {
    }

    static Stream<AdapterTensor> trained(PeftModel model) {
        return model.activeAdapters().stream().flatMap(name -> model.adapter(name).tensors())
                .filter(AdapterTensor::isTrainable);
    }

    static long trainable(PeftModel model) {
        return trained(model).mapToLong(tensor -> tensor.parameter().length()).sum();
    }

    static long all(PeftModel model) {
        return model.network().description().parameters() + model.adapterNames().stream()
                .flatMap(name -> model.adapter(name).tensors()).filter(tensor -> !tensor.isPartOfBase())
                .mapToLong(tensor -> tensor.parameter().length()).sum();
    }

    static String summary(PeftModel model) {
        return String.format(Locale.ROOT, "trainable params: %,d || all params: %,d || trainable%%: %.4f",
                trainable(model), all(model), 100.0 * trainable(model) / all(model));
    }
}
