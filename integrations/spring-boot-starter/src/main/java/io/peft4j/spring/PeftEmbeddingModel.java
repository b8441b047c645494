package io.peft4j.spring;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.eval.judge.HiddenStates;
import io.peft4j.models.PeftAdapters;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.AbstractEmbeddingModel;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;

/**
 * The model as Spring AI's {@link org.springframework.ai.embedding.EmbeddingModel}: an embedding model gives the
 * vectors that its folder describes, a chat model the mean of its last hidden states, which tells texts apart less
 * well. The option {@code model} of a request is the name of an adapter.
 */
public final class PeftEmbeddingModel extends AbstractEmbeddingModel {
    private final PeftAdapters adapters;

    /** Vectors of these models. */
    public PeftEmbeddingModel(PeftAdapters adapters) {
        this.adapters = Objects.requireNonNull(adapters, "adapters");
    }

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        String adapter = request.getOptions() == null ? null : request.getOptions().getModel();
        LanguageModel model = adapter == null || adapter.isEmpty() ? adapters.model() : adapters.model(adapter);
        List<float[]> vectors = model.network().task().type() == Task.Type.FEATURE_EXTRACTION
                ? new TextEmbedder(model).embed(request.getInstructions())
                : new HiddenStates(model).embed(request.getInstructions());
        List<Embedding> embeddings = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
            embeddings.add(new Embedding(vectors.get(i), i));
        }
        return new EmbeddingResponse(embeddings);
    }

    @Override
    public float[] embed(Document document) {
        return embed(getEmbeddingContent(document));
    }
}
