package io.peft4j.spark;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextEmbedder;
import java.util.List;

/** Vectors of texts. */
final class VectorWork extends TextWork {
    private static final long serialVersionUID = 1L;

    @Override
    public List<List<Object>> results(LanguageModel model, List<String> texts) {
        return new TextEmbedder(model).embed(texts).stream().map(vector -> List.<Object>of(vector)).toList();
    }
}
