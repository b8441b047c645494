package io.peft4j.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.eval.judge.HiddenStates;
import java.util.List;
import java.util.Objects;

/**
 * A model as LangChain4j's {@link EmbeddingModel}: one that was loaded for {@link Task#EMBEDDING} gives the
 * vectors that its folder describes ({@link TextEmbedder}), a chat model the mean of its last hidden states
 * ({@link HiddenStates}), which tells texts apart less well. An adapter of the model is part of it.
 */
public final class PeftEmbeddingModel implements EmbeddingModel {
    private interface Vectors {
        List<float[]> of(List<String> texts);
    }

    private final LanguageModel model;
    private final Vectors vectors;

    /** The vectors of this model. */
    public PeftEmbeddingModel(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
        this.vectors = model.network().task().type() == Task.Type.FEATURE_EXTRACTION
                ? new TextEmbedder(model)::embed : new HiddenStates(model)::embed;
    }

    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        return Response.from(vectors.of(segments.stream().map(TextSegment::text).toList()).stream()
                .map(Embedding::from).toList());
    }

    @Override
    public int dimension() {
        return embed("dimension").content().dimension();
    }

    @Override
    public String modelName() {
        return model.network().description().name();
    }
}
