package io.peft4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import java.util.List;
import java.util.Objects;

/**
 * Scores how well texts fit a query by the cosine of their vectors ({@link PeftEmbeddingModel}), as LangChain4j's
 * {@link ScoringModel}: with an embedding model that was tuned on an application's own questions this re-ranks what a
 * general search has found.
 */
public final class PeftScoringModel implements ScoringModel {
    private final PeftEmbeddingModel embeddings;

    /** Scores by the vectors of this model. */
    public PeftScoringModel(LanguageModel model) {
        this.embeddings = new PeftEmbeddingModel(Objects.requireNonNull(model, "model"));
    }

    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        float[] wanted = embeddings.embed(query).content().vector();
        return Response.from(embeddings.embedAll(segments).content().stream()
                .map(found -> TextEmbedder.cosine(wanted, found.vector())).toList());
    }
}
