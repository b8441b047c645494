package io.peft4j.serve.rescue;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.eval.judge.HiddenStates;
import java.util.List;

/** The cosine of two texts' mean hidden states in a language model. */
final class TextSimilarity {
    private final HiddenStates states;

    TextSimilarity(LanguageModel model) {
        this.states = new HiddenStates(model);
    }

    double of(String first, String second) {
        List<float[]> vectors = states.embed(List.of(first, second));
        double product = 0;
        double left = 0;
        double right = 0;
        for (int i = 0; i < vectors.get(0).length; i++) {
            product += vectors.get(0)[i] * vectors.get(1)[i];
            left += Math.pow(vectors.get(0)[i], 2);
            right += Math.pow(vectors.get(1)[i], 2);
        }
        return left == 0 || right == 0 ? 0 : product / Math.sqrt(left * right);
    }
}
