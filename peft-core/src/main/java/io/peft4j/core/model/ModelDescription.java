package io.peft4j.core.model;

import io.peft4j.core.Internal;
import java.util.Locale;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Sizes and names of a model.
 *
 * @param name the name or path it was asked for by, for instance {@code HuggingFaceTB/SmolLM2-135M-Instruct}
 * @param modelType the key of its architecture as in {@code config.json}, for instance {@code llama}
 * @param vocabularySize V
 * @param hiddenSize H
 * @param layers number of decoder layers
 * @param maxPositions the longest sequence the model was made for
 * @param tiedEmbeddings whether the output layer is the input embedding
 * @param activationType type of large activations: FLOAT or BFLOAT16
 * @param parameters number of parameters of the base model, tied ones counted once
 */
@Internal(shared = true)
public record ModelDescription(String name, String modelType, int vocabularySize, int hiddenSize, int layers,
        int maxPositions, boolean tiedEmbeddings, DataType activationType, long parameters) {
    /** The same with another number of decoder layers. */
    public ModelDescription withLayers(int count) {
        return new ModelDescription(name, modelType, vocabularySize, hiddenSize, count, maxPositions, tiedEmbeddings,
                activationType, parameters);
    }

    /** Name, architecture, size and type of activations in one line, for reports. */
    public String summary() {
        return String.format(Locale.ROOT, "%s (%s, %,d parameters, %s)", name, modelType, parameters,
                activationType.name().toLowerCase(Locale.ROOT));
    }

    /** Checks that names are there and sizes positive. */
    public ModelDescription {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(modelType, "modelType");
        Objects.requireNonNull(activationType, "activationType");
        if (vocabularySize <= 0 || hiddenSize <= 0 || layers <= 0 || maxPositions <= 0) {
            throw new IllegalArgumentException("sizes of a model must be positive: vocabulary " + vocabularySize
                    + ", hidden " + hiddenSize + ", layers " + layers + ", positions " + maxPositions);
        }
    }
}
