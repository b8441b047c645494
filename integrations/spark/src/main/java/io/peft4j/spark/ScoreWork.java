package io.peft4j.spark;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ScoringRows;
import io.peft4j.data.format.DataRow;
import java.util.ArrayList;
import java.util.List;

/** Likelihoods. */
final class ScoreWork implements BatchWork<TokenSequence> {
    private static final long serialVersionUID = 1L;

    @Override
    public TokenSequence input(LanguageModel model, DataRow row) {
        return new ScoringRows(model).sequence(row);
    }

    @Override
    public List<List<Object>> results(LanguageModel model, List<TokenSequence> inputs) {
        List<List<Object>> results = new ArrayList<>();
        try (SequenceScorer scorer = new SequenceScorer(model, score -> results.add(List.of(score.nll(),
                score.tokens())))) {
            inputs.forEach(scorer::add);
            scorer.flush();
        }
        return results;
    }
}
