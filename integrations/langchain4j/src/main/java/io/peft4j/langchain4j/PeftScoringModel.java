package io.peft4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.Reranker;
import io.peft4j.core.task.TextEmbedder;
import java.util.Arrays;
import java.util.List;

/**
 * Scores how well texts fit a query, as LangChain4j's {@link ScoringModel}, to re-rank what a general search has found:
 * a reranker reads the query with each text ({@link Reranker}), of any other model the vectors are compared by their
 * cosine ({@link PeftEmbeddingModel}).
 */
public final class PeftScoringModel implements ScoringModel {
    private interface Scores {
        double[] of(String query, List<String> texts);
    }

    private final Scores scores;

    /** Scores by this model. */
    public PeftScoringModel(LanguageModel model) {
        this.scores = Reranker.isFor(model.network().task()) ? new Reranker(model)::scores
                : cosines(new PeftEmbeddingModel(model));
    }

    private static Scores cosines(PeftEmbeddingModel embeddings) {
        return (query, texts) -> {
            float[] wanted = embeddings.embed(query).content().vector();
            return embeddings.embedAll(texts.stream().map(TextSegment::from).toList()).content().stream()
                    .mapToDouble(found -> TextEmbedder.cosine(wanted, found.vector())).toArray();
        };
    }

    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        return Response.from(Arrays.stream(scores.of(query, segments.stream().map(TextSegment::text).toList())).boxed()
                .toList());
    }
}
