package io.peft4j.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.eval.judge.HiddenStates;
import io.peft4j.models.PeftAdapters;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A model as LangChain4j's {@link EmbeddingModel}: one that was loaded for {@link Task#EMBEDDING} gives the
 * vectors that its folder describes ({@link TextEmbedder}), a chat model the mean of its last hidden states
 * ({@link HiddenStates}), which tells texts apart less well. An adapter of the model is part of it.
 */
public final class PeftEmbeddingModel implements EmbeddingModel {
    private final Supplier<LanguageModel> models;

    /** The vectors of this model. */
    public PeftEmbeddingModel(LanguageModel model) {
        Objects.requireNonNull(model, "model");
        this.models = () -> model;
    }

    /** The vectors of the usual one of these when a request comes. */
    public PeftEmbeddingModel(PeftAdapters adapters) {
        this.models = adapters::model;
    }

    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        LanguageModel model = models.get();
        List<String> texts = segments.stream().map(TextSegment::text).toList();
        return Response.from((model.network().task().type() == Task.Type.FEATURE_EXTRACTION
                ? new TextEmbedder(model).embed(texts) : new HiddenStates(model).embed(texts)).stream()
                .map(Embedding::from).toList());
    }

    @Override
    public int dimension() {
        return embed("dimension").content().dimension();
    }

    @Override
    public String modelName() {
        return models.get().network().description().name();
    }
}
